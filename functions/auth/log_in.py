"""POST /auth/log-in: open a session with e-mail and password, or change nothing but the count of tries.

Anyone may. Five tries in a quarter of an hour for an e-mail address, known or not, and fifty for a client's address:
counted in a batch of its own before anything is judged, so that of any number at once no more are. A right one is no
try. Unknown, wrong, not verified and suspended are one answer, after the same work. Who has a second factor shows it,
too. A guest's cart, named by X-Cart-Token, is merged in the batch of the log-in. What changed since the count (another
password, a suspension, a code used at the same time) makes that batch refuse.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC
from api.call import Answer, Call
from api.cart_merge import merging
from api.endpoint import TEXT, endpoint
from api.passwords import BYTES_MAX, verify_password
from api.people_shapes import Email, Tokens
from api.problems import Problem
from api.second_factor import Code, judged
from api.sessions import opening
from api.shapes import Flag, Shape
from api.tries import Tries
from db.sql import Sql, guard
from db.statements import people


class LogInRequest(Shape):
    email: Email
    password: str = Field(min_length=1, max_length=4 * BYTES_MAX)
    code: Code | None = Field(default=None, description="Of who has a second factor; otherwise it is not looked at.")
    cookies: Flag = Field(
        default=False, description="For a browser: the tokens come as HttpOnly cookies, and csrf_token in the body."
    )


AS_JUDGED = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users "
        "WHERE id = :user_id AND status = 'ACTIVE' AND password_hash = :password_hash)",
        "invalid_credentials",
    ),
    "users.pk",
)


@endpoint(
    "POST /auth/log-in",
    permission=PUBLIC,
    headers=("X-Cart-Token",),
    errors=("invalid_credentials", "two_factor_required", "rate_limited"),
)
async def log_in(request: LogInRequest, call: Call) -> Answer[Tokens]:
    await call.judged()
    tries = Tries(call, request.email)
    [found] = await tries.counted(people.USER_BY_EMAIL(email=request.email))
    user = found[0] if found else None
    known = user["password_hash"] if user else None
    fits = await verify_password(request.password, known, call.settings.bcrypt_cost)
    if user is None or not fits or user["status"] != "ACTIVE" or user["email_verified_at"] is None:
        await tries.failed(user["id"] if user else None)
        raise Problem("invalid_credentials")
    try:
        shown = judged(user, request.code, call)
    except Problem as problem:
        if problem.code == "invalid_credentials":
            await tries.failed(user["id"])
        else:  # the password was right, and the client comes again with the code
            await call.write(tries.of_address.giving_back())
        raise
    stepped_up = user["two_factor_enabled_at"] is not None
    session = opening(call, user["id"], stepped_up=stepped_up, cookies=request.cookies)
    plan = [
        AS_JUDGED(user_id=user["id"], password_hash=known),
        *shown,
        *session.statements,
        *merging(call, user["id"]),
        *trail.security_event(call, "log_in", user["id"], session_id=session.session_id),
        *tries.right(),
    ]
    return await call.commit(plan, session.answer(user["person"]))


handler = Mangum(log_in, lifespan="off", text_mime_types=TEXT)

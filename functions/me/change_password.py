"""POST /me/password: set a new password with the current one, or change nothing but the count of tries.

Whoever has logged in. A try at the current password counts like one of a log-in. The other sessions end, and mail tells
the person. Of two at once the second finds another password than it was judged by, and is refused.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.mail import mail
from api.passwords import BYTES_MAX, Password, check_password, hash_password, verify_password
from api.problems import Problem
from api.shapes import Shape
from api.tries import Tries
from db.sql import Sql, guard
from db.statements import people


class ChangePasswordRequest(Shape):
    current_password: str = Field(min_length=1, max_length=4 * BYTES_MAX)
    new_password: Password


AS_JUDGED = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :user_id AND password_hash = :password_hash)",
        "invalid_credentials",
    ),
    "users.pk",
)


@endpoint("POST /me/password", status=204, permission=PERSON, errors=("invalid_credentials", "rate_limited"))
async def change_password(request: ChangePasswordRequest, call: Call) -> Answer[None]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    check_password(request.new_password, user["email"], "/new_password")
    tries = Tries(call, user["email"])
    await tries.counted()
    cost, known = call.settings.bcrypt_cost, user["password_hash"]
    if not await verify_password(request.current_password, known, cost):
        await tries.failed(user["id"], "password_change_failed")
        raise Problem("invalid_credentials")
    whose = {"user_id": user["id"], "now": call.now}
    plan = [
        AS_JUDGED(user_id=user["id"], password_hash=known),
        people.SET_PASSWORD(**whose, password_hash=await hash_password(request.new_password, cost)),
        people.VOID_RESETS(**whose),
        people.END_SESSIONS(**whose, keep=call.actor.session_id),
        *([] if user["two_factor_enabled_at"] else tries.right()),
        mail(call, "password_changed", user["id"], user["email"]),
        *trail.security_event(call, "password_changed", user["id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(change_password, lifespan="off", text_mime_types=TEXT)

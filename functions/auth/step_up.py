"""POST /auth/step-up: show the second factor, or the password again, in this session; or change nothing but the count
of tries.

A person. Who has a second factor shows that, everybody else the password. Tries are counted with those of log-in
before anything is judged, so that a stolen session is no way around the limit. What changed since the read (another
password, a factor turned on, a code used at the same time) makes the batch refuse.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.passwords import BYTES_MAX, verify_password
from api.problems import Problem, invalid
from api.second_factor import Code, judged
from api.shapes import Shape
from api.tries import Tries
from db.sql import Sql, guard
from db.statements import people


class StepUpRequest(Shape):
    password: str | None = Field(
        default=None, min_length=1, max_length=4 * BYTES_MAX, description="Of who has no second factor."
    )
    code: Code | None = Field(default=None, description="Of who has one.")


PASSWORD_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :user_id AND password_hash IS :password_hash)",
        "invalid_credentials",
    ),
    "users.pk",
)
STEP_UP = Sql(
    """
    UPDATE user_sessions SET stepped_up_at = :now, updated_at = :now WHERE id = :session_id AND +user_id = :user_id
    """,
    "user_sessions.pk",
)


@endpoint(
    "POST /auth/step-up",
    status=204,
    permission=PERSON,
    errors=("invalid_credentials", "two_factor_required", "rate_limited"),
)
async def step_up(request: StepUpRequest, call: Call) -> Answer[None]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    user_id, two_factor, known = user["id"], user["two_factor_enabled_at"] is not None, user["password_hash"]
    if two_factor and request.code is None:
        raise Problem("two_factor_required")
    if not two_factor and request.password is None:
        raise invalid("/password", "missing")
    tries = Tries(call, user["email"])
    await tries.counted()
    try:
        shown = judged(user, request.code, call)
        if not two_factor and not await verify_password(request.password or "", known, call.settings.bcrypt_cost):
            raise Problem("invalid_credentials")
    except Problem:
        await tries.failed(user_id, "step_up_failed")
        raise
    plan = [
        PASSWORD_AS_READ(user_id=user_id, password_hash=known),
        *shown,
        STEP_UP(session_id=call.actor.session_id, user_id=user_id, now=call.now),
        *tries.right(),
    ]
    call.happened("stepped_up", user_id)
    return await call.commit(plan, Answer(None))


handler = Mangum(step_up, lifespan="off", text_mime_types=TEXT)

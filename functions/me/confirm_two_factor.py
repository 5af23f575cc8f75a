"""POST /me/two-factor/confirm: turn the second factor on with the app's first code, or change nothing.

A person, for themselves. The answer holds ten recovery codes, shown once; the other sessions end. Of two at once, or
one beside a new start, the later is run again and finds the factor on, or its code wrong.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.second_factor import RecoveryCodes, new_recovery_codes
from api.shapes import Shape
from db.statements import people, two_factor
from domain.refusals import Refusal
from domain.totp import step_of


class ConfirmTwoFactorRequest(Shape):
    code: str = Field(
        min_length=1, max_length=50, description="Of the authenticator app; spaces are ignored.", examples=["123456"]
    )


@endpoint(
    "POST /me/two-factor/confirm",
    permission=PERSON,
    step_up=True,
    errors=("not_found", "two_factor_enabled", "invalid_credentials"),
)
async def confirm_two_factor(request: ConfirmTwoFactorRequest, call: Call) -> Answer[RecoveryCodes]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    user_id, secret, now = user["id"], user["two_factor_secret"], call.now
    if user["two_factor_enabled_at"] is not None:
        raise Problem("two_factor_enabled")
    if secret is None:
        raise Refusal("not_found")
    step = step_of(secret, "".join(request.code.split()), call.milliseconds // 1000, 0)
    if step is None:
        raise Problem("invalid_credentials")
    codes, renewing = new_recovery_codes(user_id, now)
    plan = [
        two_factor.AS_READ(user_id=user_id, secret=secret, enabled_at=None),
        two_factor.SET(user_id=user_id, secret=secret, enabled_at=now, step=step, now=now),
        *renewing,
        people.END_SESSIONS(user_id=user_id, keep=call.actor.session_id, now=now),
    ]
    call.happened("two_factor_enabled", user_id)
    return await call.commit(plan, Answer(codes.model_dump()))


handler = Mangum(confirm_two_factor, lifespan="off", text_mime_types=TEXT)

"""POST /me/two-factor/recovery-codes: ten new recovery codes in the place of all before, or change nothing.

A person with a second factor, for themselves, who showed it a moment ago. Whoever renews last has the codes that
count; one turned off meanwhile makes the line run again, which then finds none.
"""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.second_factor import RecoveryCodes, new_recovery_codes
from api.shapes import Shape
from db.statements import people, two_factor
from domain.refusals import Refusal


class RenewRecoveryCodesRequest(Shape):
    pass


@endpoint("POST /me/two-factor/recovery-codes", permission=PERSON, step_up=True, errors=("not_found",))
async def renew_recovery_codes(request: RenewRecoveryCodesRequest, call: Call) -> Answer[RecoveryCodes]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    user_id, secret, enabled_at = user["id"], user["two_factor_secret"], user["two_factor_enabled_at"]
    if enabled_at is None:
        raise Refusal("not_found")
    codes, renewing = new_recovery_codes(user_id, call.now)
    plan = [
        two_factor.AS_READ(user_id=user_id, secret=secret, enabled_at=enabled_at),
        *renewing,
    ]
    call.happened("recovery_codes_renewed", user_id)
    return await call.commit(plan, Answer(codes.model_dump()))


handler = Mangum(renew_recovery_codes, lifespan="off", text_mime_types=TEXT)

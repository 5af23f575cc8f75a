"""DELETE /me/two-factor: turn the second factor off, or drop one that was only started, or change nothing.

A person, for themselves, who showed it a moment ago. Its secret and recovery codes go, the other sessions end. Of two
at once the later is run again and finds none.
"""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements import people, two_factor
from domain.refusals import Refusal


class DeleteTwoFactorRequest(Shape):
    pass


@endpoint("DELETE /me/two-factor", status=204, permission=PERSON, step_up=True, errors=("not_found",))
async def delete_two_factor(request: DeleteTwoFactorRequest, call: Call) -> Answer[None]:
    [[user]] = await call.read(people.USER_BY_ID(user_id=call.user_id))
    user_id, secret, enabled_at, now = user["id"], user["two_factor_secret"], user["two_factor_enabled_at"], call.now
    if secret is None:
        raise Refusal("not_found")
    plan = [
        two_factor.AS_READ(user_id=user_id, secret=secret, enabled_at=enabled_at),
        two_factor.SET(user_id=user_id, secret=None, enabled_at=None, step=0, now=now),
    ]
    if enabled_at is not None:
        plan += [
            two_factor.FORGET_RECOVERY_CODES(user_id=user_id),
            people.END_SESSIONS(user_id=user_id, keep=call.actor.session_id, now=now),
        ]
        call.happened("two_factor_disabled", user_id)
    return await call.commit(plan, Answer(None))


handler = Mangum(delete_two_factor, lifespan="off", text_mime_types=TEXT)

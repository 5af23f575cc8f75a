"""DELETE /me: erase a person and keep the books, or change nothing.

Whoever has logged in and has shown the second factor, or the password again, a moment ago. Orders, payments and history
stay with their amounts, without the person. The last administrator stays: of two who go at once, the guard in the
batch keeps one.
"""

from mangum import Mangum

from api import trail
from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.sessions import no_cookies
from api.shapes import Shape
from db.statements.personal import erasing


class DeleteMeRequest(Shape):
    """Nothing."""


@endpoint("DELETE /me", status=204, permission=PERSON, step_up=True, errors=("last_admin", "step_up_required"))
async def delete_me(request: DeleteMeRequest, call: Call) -> Answer[None]:
    await call.judged()
    user_id = call.actor.id
    # Before the erasure, which takes the address of this very request with it.
    plan = [*trail.security_event(call, "user_erased", user_id), *erasing(user_id, call.now)]
    return await call.commit(plan, Answer(None, cookies=no_cookies(call)))


handler = Mangum(delete_me, lifespan="off", text_mime_types=TEXT)

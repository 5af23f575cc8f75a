"""DELETE /users/{user}: erase a user and keep the books, or change nothing.

Staff with `users:delete` who have shown the second factor, or the password again, a moment ago; themselves they erase
by DELETE /me. Orders, payments and history stay with their amounts, without the person. The last administrator stays:
of two erasures at once, the guard in the batch keeps one.
"""

from mangum import Mangum

from api import trail
from api.access import holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.people_shapes import UserId
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql
from db.statements.personal import erasing
from domain.refusals import Refusal


class DeleteUserRequest(Shape):
    user: UserId


STATUS = Sql("SELECT status FROM live_users WHERE id = :user_id", "users.pk")


@endpoint(
    "DELETE /users/{user}",
    status=204,
    permission="users:delete",
    step_up=True,
    errors=("not_found", "last_admin", "step_up_required", "forbidden"),
)
async def delete_user(request: DeleteUserRequest, call: Call) -> Answer[None]:
    [found] = await call.read(STATUS(user_id=request.user))
    if not found:
        raise Refusal("not_found")
    if request.user == call.actor.user_id:
        raise Problem("forbidden")
    call.audit("users:delete", "users", request.user, before=found[0], after={"status": "DELETED"})
    event = trail.security_event(call, "user_erased", request.user)
    return await call.commit([holding(call, over=request.user), *event, *erasing(request.user, call.now)], Answer(None))


handler = Mangum(delete_user, lifespan="off", text_mime_types=TEXT)

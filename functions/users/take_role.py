"""DELETE /users/{user}/roles/{role}: take a role from a user, or change nothing.

Staff with `roles:assign` who have just shown their second factor or password, and who hold all that the role grants.
The last administrator keeps the role. Of two who take it from each other at once the first is served; the other is no
administrator any more when the batch asks, and is refused.
"""

from mangum import Mangum

from api.access import RoleKey, UserKey, holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class TakeRoleRequest(Shape):
    user: UserKey
    role: RoleKey


TAKE = Sql("DELETE FROM user_roles WHERE user_id = :user_id AND role_id = :role_id", "user_roles.pk")


@endpoint(
    "DELETE /users/{user}/roles/{role}",
    status=204,
    permission="roles:assign",
    step_up=True,
    errors=("last_admin",),
)
async def take_role(request: TakeRoleRequest, call: Call) -> Answer[None]:
    [found] = await call.read(access.USER_AND_ROLE(user=request.user, role=request.role))
    if not found or not found[0]["given"]:
        raise Refusal("not_found")
    user_id, role_id = found[0]["user_id"], found[0]["role_id"]
    call.audit("roles:assign", "users", user_id, before={"role": request.role}, after={"role": None})
    call.happened("role_taken", user_id, role=request.role, by=call.actor.id)
    plan = [
        holding(call, role_id=role_id),
        access.ROLE_AS_READ(**found[0]),
        *([access.NOT_LAST_ADMIN(user_id=user_id)] if role_id == access.ADMIN else []),
        TAKE(user_id=user_id, role_id=role_id),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(take_role, lifespan="off", text_mime_types=TEXT)

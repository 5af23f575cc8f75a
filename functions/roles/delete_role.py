"""DELETE /roles/{role}: remove a role, also from whoever has it, or change nothing.

Staff with `roles:update` who have just shown their second factor or password, and who hold all that the role grants.
The roles that every shop has stay.
"""

from mangum import Mangum

from api.access import RoleKey, holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class DeleteRoleRequest(Shape):
    role: RoleKey


TAKE_FROM_ALL = Sql("DELETE FROM user_roles WHERE role_id = :role_id", "user_roles_by_role")
FORGET_GRANTS = Sql("DELETE FROM role_permissions WHERE role_id = :role_id", "role_permissions.pk")
DELETE = Sql("DELETE FROM roles WHERE id = :role_id", "roles.pk")


@endpoint(
    "DELETE /roles/{role}",
    status=204,
    permission="roles:update",
    step_up=True,
    errors=("role_protected",),
)
async def delete_role(request: DeleteRoleRequest, call: Call) -> Answer[None]:
    [found] = await call.read(access.ROLE_BY_NAME(role=request.role))
    if not found:
        raise Refusal("not_found")
    role_id = found[0]["id"]
    if role_id in access.SEEDED:
        raise Problem("role_protected")
    call.audit("roles:update", "roles", role_id, before=found[0])
    call.happened("role_deleted", call.actor.user_id, role=request.role, by=call.actor.id)
    plan = [
        holding(call, role_id=role_id),
        access.ROLE_STANDS(role_id=role_id, name=request.role),
        TAKE_FROM_ALL(role_id=role_id),
        FORGET_GRANTS(role_id=role_id),
        DELETE(role_id=role_id),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(delete_role, lifespan="off", text_mime_types=TEXT)

"""DELETE /roles/{role}/permissions/{permission}: let a role grant something no more, or change nothing.

Staff with `roles:update` who have just shown their second factor or password, and who hold all that the role grants.
The role admin keeps `*`.
"""

from mangum import Mangum

from api.access import PermissionKey, RoleKey, holding
from api.auth import EVERYTHING
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class RemoveRolePermissionRequest(Shape):
    role: RoleKey
    permission: PermissionKey


REMOVE = Sql(
    "DELETE FROM role_permissions WHERE role_id = :role_id AND permission_id = :permission_id", "role_permissions.pk"
)


@endpoint(
    "DELETE /roles/{role}/permissions/{permission}",
    status=204,
    permission="roles:update",
    step_up=True,
    errors=("role_protected",),
)
async def remove_role_permission(request: RemoveRolePermissionRequest, call: Call) -> Answer[None]:
    key = request.permission
    [found] = await call.read(access.ROLE_AND_PERMISSION(role=request.role, permission=key))
    if not found or not found[0]["granted"]:
        raise Refusal("not_found")
    role_id = found[0]["role_id"]
    if role_id == access.ADMIN and key == EVERYTHING:
        raise Problem("role_protected")
    call.audit("roles:update", "roles", role_id, before={"permission": key}, after={"permission": None})
    call.happened("role_reduced", call.actor.user_id, role=request.role, permission=key, by=call.actor.id)
    plan = [
        holding(call, key, role_id=role_id),
        access.GRANT_AS_READ(**found[0]),
        REMOVE(role_id=role_id, permission_id=found[0]["permission_id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(remove_role_permission, lifespan="off", text_mime_types=TEXT)

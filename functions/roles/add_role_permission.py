"""PUT /roles/{role}/permissions/{permission}: let a role grant something, or change nothing. Twice is once.

Staff with `roles:update` who have just shown their second factor or password, and who hold the permission and all that
the role grants already.
"""

from mangum import Mangum

from api.access import PermissionKey, RoleKey, holding
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements import access
from domain.refusals import Refusal


class AddRolePermissionRequest(Shape):
    role: RoleKey
    permission: PermissionKey


@endpoint(
    "PUT /roles/{role}/permissions/{permission}",
    status=204,
    permission="roles:update",
    step_up=True,
)
async def add_role_permission(request: AddRolePermissionRequest, call: Call) -> Answer[None]:
    key = request.permission
    [found] = await call.read(access.ROLE_AND_PERMISSION(role=request.role, permission=key))
    if not found:
        raise Refusal("not_found")
    role_id, permissions = found[0]["role_id"], dumps([found[0]["permission_id"]])
    guards = [holding(call, key, role_id=role_id), access.GRANT_AS_READ(**found[0])]
    if found[0]["granted"]:
        return await call.commit(guards, Answer(None))
    call.audit("roles:update", "roles", role_id, before={"permission": None}, after={"permission": key})
    call.happened("role_extended", call.actor.user_id, role=request.role, permission=key, by=call.actor.id)
    adding = access.ADD_PERMISSIONS(role_id=role_id, permissions=permissions, now=call.now)
    return await call.commit([*guards, adding], Answer(None))


handler = Mangum(add_role_permission, lifespan="off", text_mime_types=TEXT)

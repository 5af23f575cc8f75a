"""DELETE /users/{user}/permissions/{permission}: take back what one user was allowed or denied, or change nothing.

Staff with `roles:assign` who have just shown their second factor or password, and who hold the permission. What roles
grant or another denial takes stays.
"""

from mangum import Mangum

from api.access import PermissionKey, UserKey, holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class TakePermissionRequest(Shape):
    user: UserKey
    permission: PermissionKey


TAKE = Sql(
    "DELETE FROM user_permissions WHERE user_id = :user_id AND permission_id = :permission_id", "user_permissions.pk"
)


@endpoint(
    "DELETE /users/{user}/permissions/{permission}",
    status=204,
    permission="roles:assign",
    step_up=True,
)
async def take_permission(request: TakePermissionRequest, call: Call) -> Answer[None]:
    key = request.permission
    [found] = await call.read(access.USER_AND_PERMISSION(user=request.user, permission=key))
    if not found or found[0]["effect"] is None:
        raise Refusal("not_found")
    user_id = found[0]["user_id"]
    told = {"before": {"permission": key, "effect": found[0]["effect"]}, "after": {"permission": key, "effect": None}}
    call.audit("roles:assign", "users", user_id, **told)
    call.happened("permission_taken", user_id, permission=key, by=call.actor.id)
    plan = [
        holding(call, key),
        access.PERMISSION_AS_READ(**found[0]),
        TAKE(user_id=user_id, permission_id=found[0]["permission_id"]),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(take_permission, lifespan="off", text_mime_types=TEXT)

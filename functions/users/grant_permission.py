"""PUT /users/{user}/permissions/{permission}: allow one user something, or deny it, or change nothing.

Staff with `roles:assign` who have just shown their second factor or password, and who hold the permission; to deny it
also all that the user has been granted. A denial wins over whatever a role grants. The last administrator is denied
nothing.
"""

from typing import Literal

from mangum import Mangum
from pydantic import Field

from api.access import PermissionKey, UserKey, holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class GrantPermissionRequest(Shape):
    user: UserKey
    permission: PermissionKey
    effect: Literal["ALLOW", "DENY"] = Field(description="DENY wins over every role.")


GRANT = Sql("""
    INSERT INTO user_permissions (user_id, permission_id, effect, assigned_at, created_at, updated_at)
    VALUES (:user_id, :permission_id, :effect, :now, :now, :now)
    ON CONFLICT (user_id, permission_id) DO UPDATE SET effect = excluded.effect, assigned_at = excluded.assigned_at,
      updated_at = excluded.updated_at
""")


@endpoint(
    "PUT /users/{user}/permissions/{permission}",
    status=204,
    permission="roles:assign",
    step_up=True,
    errors=("last_admin",),
)
async def grant_permission(request: GrantPermissionRequest, call: Call) -> Answer[None]:
    key, effect = request.permission, request.effect
    [found] = await call.read(access.USER_AND_PERMISSION(user=request.user, permission=key))
    if not found:
        raise Refusal("not_found")
    user_id, before = found[0]["user_id"], found[0]["effect"]
    denied = effect == "DENY"
    guards = [holding(call, key, over=user_id if denied else None), access.PERMISSION_AS_READ(**found[0])]
    if before == effect:
        return await call.commit(guards, Answer(None))
    told = {"before": {"permission": key, "effect": before}, "after": {"permission": key, "effect": effect}}
    call.audit("roles:assign", "users", user_id, **told)
    call.happened("permission_denied" if denied else "permission_granted", user_id, permission=key, by=call.actor.id)
    plan = [
        *guards,
        *([access.NOT_LAST_ADMIN(user_id=user_id)] if denied else []),
        GRANT(**{**found[0], "effect": effect}, now=call.now),
    ]
    return await call.commit(plan, Answer(None))


handler = Mangum(grant_permission, lifespan="off", text_mime_types=TEXT)

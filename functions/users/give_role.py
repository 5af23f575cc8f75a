"""PUT /users/{user}/roles/{role}: give a user a role, or change nothing. Given twice it is given once.

Staff with `roles:assign` who have just shown their second factor or password, and who hold all that the role grants:
the batch itself asks, so that rights taken meanwhile count.
"""

from mangum import Mangum

from api.access import RoleKey, UserKey, holding
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import access
from domain.refusals import Refusal


class GiveRoleRequest(Shape):
    user: UserKey
    role: RoleKey


GIVE = Sql("""
    INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)
    VALUES (:user_id, :role_id, :now, :now, :now)
""")


@endpoint(
    "PUT /users/{user}/roles/{role}",
    status=204,
    permission="roles:assign",
    step_up=True,
)
async def give_role(request: GiveRoleRequest, call: Call) -> Answer[None]:
    [found] = await call.read(access.USER_AND_ROLE(user=request.user, role=request.role))
    if not found:
        raise Refusal("not_found")
    user_id, role_id = found[0]["user_id"], found[0]["role_id"]
    guards = [access.ROLE_AS_READ(**found[0]), holding(call, role_id=role_id)]
    if found[0]["given"]:
        return await call.commit(guards, Answer(None))
    call.audit("roles:assign", "users", user_id, before={"role": None}, after={"role": request.role})
    call.happened("role_given", user_id, role=request.role, by=call.actor.id)
    return await call.commit([*guards, GIVE(user_id=user_id, role_id=role_id, now=call.now)], Answer(None))


handler = Mangum(give_role, lifespan="off", text_mime_types=TEXT)

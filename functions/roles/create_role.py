"""POST /roles: make a role, or change nothing.

Staff with `roles:update` who have just shown their second factor or password, and who hold all that it shall grant. Of
two who want one name at once the unique index lets one through.
"""

from mangum import Mangum
from pydantic import Field

from api.access import Description, PermissionKey, Role, RoleName, holding
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql
from db.statements import access


class CreateRoleRequest(Shape):
    name: RoleName
    description: Description = ""
    permissions: list[PermissionKey] = Field(default=[], max_length=100, description="Keys of permissions.")


KNOWN = Sql(
    "SELECT p.id, p.key FROM json_each(:keys) k CROSS JOIN permissions p ON p.key = k.value", "permissions_key_once"
)
ADD = Sql("""
    INSERT INTO roles (id, name, description, created_at, updated_at) VALUES (:id, :name, :description, :now, :now)
""")


@endpoint(
    "POST /roles",
    status=201,
    permission="roles:update",
    idempotency="optional",
    step_up=True,
    errors=("already_exists", "missing_reference"),
)
async def create_role(request: CreateRoleRequest, call: Call) -> Answer[Role]:
    keys = list(dict.fromkeys(request.permissions))
    [known] = await call.read(KNOWN(keys=dumps(keys)))
    ids = {row["key"]: row["id"] for row in known}
    unknown = [number for number, key in enumerate(request.permissions) if key not in ids]
    if unknown:
        raise Problem(
            "missing_reference", errors=[(f"/permissions/{number}", "missing_reference", {}) for number in unknown]
        )
    role_id, now = call.id("role"), call.now
    role = {"id": role_id, "name": request.name, "description": request.description}
    plan = [
        holding(call, *keys),
        ADD(**role, now=now),
        access.ADD_PERMISSIONS(role_id=role_id, permissions=dumps(sorted(ids.values())), now=now),
    ]
    told = {**role, "permissions": sorted(ids, key=ids.__getitem__)}
    call.audit("roles:update", "roles", role_id, after=told)
    body = {**told, "created_at": now, "updated_at": now}
    return await call.commit(plan, Answer(body, location=f"/roles/{request.name}"))


handler = Mangum(create_role, lifespan="off", text_mime_types=TEXT)

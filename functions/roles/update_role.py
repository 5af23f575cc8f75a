"""PATCH /roles/{role}: change a role's name or description, or change nothing.

Staff with `roles:update` who have just shown their second factor or password, and who hold all that the role grants.
The roles that every shop has keep their names.
"""

from mangum import Mangum
from pydantic import Field

from api.access import Description, Role, RoleKey, RoleName, holding
from api.call import Answer, Call, Told
from api.catalog_shapes import absent
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.problems import Problem
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import access
from domain.refusals import Refusal


class UpdateRoleRequest(Shape):
    role: RoleKey
    name: RoleName = Field(default_factory=absent)
    description: Description = Field(default_factory=absent)


# Of what was read, so that the trail says what was changed.
AS_READ = Sql(
    guard("EXISTS (SELECT 1 FROM roles WHERE id = :role_id AND description IS :description)", "stale", "'roles'"),
    "roles.pk",
)
# A null leaves what is there.
CHANGE = Sql(
    """
    UPDATE roles SET name = coalesce(:name, name), description = coalesce(:description, description), updated_at = :now
    WHERE id = :role_id
    """,
    "roles.pk",
)
TOLD = telling(
    f"SELECT {access.ROLE} AS answer, NULL AS version FROM roles r WHERE r.id = :role_id AND :now > ''",
    "roles.pk",
    *access.ROLE_INDEXES,
)


@endpoint(
    "PATCH /roles/{role}",
    permission="roles:update",
    step_up=True,
    errors=("already_exists", "role_protected"),
)
async def update_role(request: UpdateRoleRequest, call: Call) -> Answer[Role]:
    sent = request.model_dump(exclude_unset=True, exclude={"role"})
    [found] = await call.read(access.ROLE_BY_NAME(role=request.role))
    if not found:
        raise Refusal("not_found")
    role = found[0]
    if role["id"] in access.SEEDED and sent.get("name", role["name"]) != role["name"]:
        raise Problem("role_protected")
    plan = [holding(call, role_id=role["id"]), access.ROLE_STANDS(role_id=role["id"], name=role["name"])]
    if any(role[name] != value for name, value in sent.items()):
        plan.append(AS_READ(role_id=role["id"], description=role["description"]))
        call.audit_changes("roles:update", "roles", role["id"], role, sent)
        wanted = {"name": sent.get("name"), "description": sent.get("description")}
        plan.append(CHANGE(role_id=role["id"], **wanted, now=call.now))
    return await call.commit(plan, Answer(Told(TOLD, {"role_id": role["id"]})))


handler = Mangum(update_role, lifespan="off", text_mime_types=TEXT)

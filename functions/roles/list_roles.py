"""GET /roles: the roles by their names, with what they grant. Changes nothing. Staff with `roles:read`."""

from mangum import Mangum

from api.access import Role
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest
from db.sql import Sql
from db.statements import access


class ListRolesRequest(PageRequest):
    pass


ROLES = Sql(
    f"SELECT {access.ROLE} AS item, r.name FROM roles r WHERE r.name > :after ORDER BY r.name LIMIT :rows",
    "roles_name_once",
    *access.ROLE_INDEXES,
)


@endpoint("GET /roles", permission="roles:read")
async def list_roles(request: ListRolesRequest, call: Call) -> Answer[Page[Role]]:
    [after] = call.after(request, "name") or [""]
    [rows] = await call.read(ROLES(after=after, rows=request.limit + 1))
    return call.page(request, rows, ("name",), "name")


handler = Mangum(list_roles, lifespan="off", text_mime_types=TEXT)

"""GET /permissions: everything that can be allowed, by key. Changes nothing. Staff with `roles:read`."""

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape
from db.sql import Sql


class ListPermissionsRequest(PageRequest):
    pass


class Permission(Shape):
    key: str = Field(description="`domain:action`, or `*` for everything.", examples=["products:update"])
    description: str


PERMISSIONS = Sql(
    """
    SELECT json_object('key', key, 'description', description) AS item, key
    FROM permissions WHERE key > :after ORDER BY key LIMIT :rows
    """,
    "permissions_key_once",
)


@endpoint("GET /permissions", permission="roles:read")
async def list_permissions(request: ListPermissionsRequest, call: Call) -> Answer[Page[Permission]]:
    [after] = call.after(request, "key") or [""]
    [rows] = await call.read(PERMISSIONS(after=after, rows=request.limit + 1))
    return call.page(request, rows, ("key",), "key")


handler = Mangum(list_permissions, lifespan="off", text_mime_types=TEXT)

"""GET /categories: all categories in the shop's order, a page at a time; `parent_id`, `level` and `path` make the tree.

Anyone may. Changes nothing.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, id_of
from db.sql import Sql


class ListCategoriesRequest(PageRequest):
    """A page, no filter."""


class Category(Shape):
    id: id_of("category")  # type: ignore[valid-type]
    name: str
    slug: str
    parent_id: str | None = Field(description="Null at the root of the tree.")
    level: int = Field(ge=0, description="0 at the root.")
    path: str = Field(description="The ids from the root down to this one, `/` before and after each.")
    image_url: str | None
    icon_url: str | None
    display_order: int


PAGE = Sql(
    """
    SELECT json_object('id', c.id, 'name', c.name, 'slug', c.slug, 'parent_id', c.parent_id, 'level', c.level,
        'path', c.path, 'image_url', c.image_url, 'icon_url', c.icon_url, 'display_order', c.display_order) AS item,
      c.display_order, c.id
    FROM live_categories c WHERE (c.display_order, c.id) > (:after_display_order, :after_id)
    ORDER BY c.display_order, c.id LIMIT :limit
    """,
    "categories_by_display_order",
)
BEGINNING = (-(2**63), "")


@endpoint("GET /categories", permission=PUBLIC, replica=True)
async def list_categories(request: ListCategoriesRequest, call: Call) -> Answer[Page[Category]]:
    if request.cursor is not None:
        await call.read()  # a cursor belongs to who asks
    after_display_order, after_id = call.after(request, "display_order") or BEGINNING
    (rows,) = await call.read(PAGE(after_display_order=after_display_order, after_id=after_id, limit=request.limit + 1))
    return call.page(request, rows, ("display_order", "id"), "display_order")


handler = Mangum(list_categories, lifespan="off", text_mime_types=TEXT)

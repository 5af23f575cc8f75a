"""GET /collections: the ACTIVE collections in the shop's order, a page at a time.

Anyone may. Changes nothing.
"""

from typing import Literal

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, id_of
from db.sql import Sql


class ListCollectionsRequest(PageRequest):
    """A page, no filter."""


class Collection(Shape):
    id: id_of("collection")  # type: ignore[valid-type]
    name: str
    slug: str
    status: Literal["DRAFT", "ACTIVE", "ARCHIVED"]
    image_url: str | None
    display_order: int


PAGE = Sql(
    """
    SELECT json_object('id', c.id, 'name', c.name, 'slug', c.slug, 'status', c.status, 'image_url', c.image_url,
        'display_order', c.display_order) AS item,
      c.display_order, c.id
    FROM live_collections c WHERE c.status = 'ACTIVE' AND (c.display_order, c.id) > (:after_display_order, :after_id)
    ORDER BY c.display_order, c.id LIMIT :limit
    """,
    "collections_by_display_order",
)
BEGINNING = (-(2**63), "")


@endpoint("GET /collections", permission=PUBLIC, replica=True)
async def list_collections(request: ListCollectionsRequest, call: Call) -> Answer[Page[Collection]]:
    if request.cursor is not None:
        await call.read()  # a cursor belongs to who asks
    after_display_order, after_id = call.after(request, "display_order") or BEGINNING
    (rows,) = await call.read(PAGE(after_display_order=after_display_order, after_id=after_id, limit=request.limit + 1))
    return call.page(request, rows, ("display_order", "id"), "display_order")


handler = Mangum(list_collections, lifespan="off", text_mime_types=TEXT)

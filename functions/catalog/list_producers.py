"""GET /producers: who makes and sells the products, by name, a page at a time.

Anyone may. Changes nothing.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, id_of
from db.sql import Sql


class ListProducersRequest(PageRequest):
    """A page, no filter."""


class Producer(Shape):
    id: id_of("producer")  # type: ignore[valid-type]
    name: str
    slug: str
    image_url: str | None
    description: str


PAGE = Sql(
    """
    SELECT json_object('id', p.id, 'name', p.name, 'slug', p.slug, 'image_url', p.image_url,
        'description', p.description) AS item,
      p.name, p.id
    FROM live_producers p WHERE (p.name, p.id) > (:after_name, :after_id) ORDER BY p.name, p.id LIMIT :limit
    """,
    "producers_by_name",
)
BEGINNING = ("", "")


@endpoint("GET /producers", permission=PUBLIC, replica=True)
async def list_producers(request: ListProducersRequest, call: Call) -> Answer[Page[Producer]]:
    if request.cursor is not None:
        await call.read()  # a cursor belongs to who asks
    after_name, after_id = call.after(request, "name") or BEGINNING
    (rows,) = await call.read(PAGE(after_name=after_name, after_id=after_id, limit=request.limit + 1))
    return call.page(request, rows, ("name", "id"), "name")


handler = Mangum(list_producers, lifespan="off", text_mime_types=TEXT)

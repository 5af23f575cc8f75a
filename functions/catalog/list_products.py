"""GET /products: the products on sale, filtered, searched and ordered; a page at a time. Changes nothing.

Anyone may, and sees ACTIVE products. `available` counts the pieces of all variants; what expired holds keep is free.
"""

from typing import Literal

from mangum import Mangum
from pydantic import Field

from api.auth import PUBLIC
from api.call import Answer, Call
from api.catalog_shapes import ListedProduct
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, QueryInteger
from db.statements.product_list import ORDERS, products_page
from db.statements.stock import LOCATION
from domain.search import QUERY_LENGTH_MAX, match_query


class ListProductsRequest(PageRequest):
    q: str | None = Field(
        default=None,
        max_length=QUERY_LENGTH_MAX,
        description="Words or their beginnings, all of which must occur; case and accents do not matter.",
    )
    category: str | None = Field(
        default=None, max_length=200, description="Id or slug; the categories below it are included."
    )
    collection: str | None = Field(default=None, max_length=200, description="Id or slug.")
    producer: str | None = Field(default=None, max_length=200, description="Id or slug.")
    size: str | None = Field(default=None, max_length=50, description="Of at least one variant.")
    min_price: QueryInteger | None = Field(default=None, ge=0, le=10**9, description="Minor units, inclusive.")
    max_price: QueryInteger | None = Field(default=None, ge=0, le=10**9, description="Minor units, inclusive.")
    in_stock: bool | None = Field(default=None, description="Whether any piece of any variant is available.")
    sort: Literal["newest", "oldest", "price", "-price", "title"] = "newest"


@endpoint("GET /products", permission=PUBLIC, replica=True)
async def list_products(request: ListProductsRequest, call: Call) -> Answer[Page[ListedProduct]]:
    if request.cursor is not None:
        await call.read()  # a cursor belongs to who asks
    after = call.after(request, request.sort)
    values = request.model_dump(exclude={"cursor", "limit", "sort", "in_stock", "q"}, exclude_none=True)
    if request.q and not request.q.isspace():  # an empty search box asks for everything
        values["q"] = match_query(request.q)
    filters = tuple(values)
    if request.in_stock is not None:
        filters += ("in_stock" if request.in_stock else "out_of_stock",)
    if after is not None:
        values["after_key"], values["after_id"] = after
    page = products_page(request.sort, filters, after=after is not None)
    (rows,) = await call.read(page(**values, limit=request.limit + 1, now=call.now, location_id=LOCATION))
    return call.page(request, rows, (ORDERS[request.sort].key, "id"), request.sort)


handler = Mangum(list_products, lifespan="off", text_mime_types=TEXT)

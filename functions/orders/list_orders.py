"""GET /orders: all orders for staff with orders:read, else those placed with the caller's API key. Changes nothing.

Nobody unknown may: a guest looks at one order, with its phone number. Each kind of list walks an index in its order
until the page is full, so that no list is sorted.
"""

from itertools import product
from typing import Final, Literal

from mangum import Mangum
from pydantic import Field

from api.auth import SIGNED_IN
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order, OrderStatus, PhoneInQuery
from api.shapes import Page, PageRequest
from db.sql import Sql
from db.statements.orders import ORDER_JSON

Sort = Literal["newest", "oldest"]


class ListOrdersRequest(PageRequest):
    status: OrderStatus | None = None
    phone: PhoneInQuery | None = Field(default=None, description="The customer's, E.164.")
    sort: Sort = Field(default="newest", description="By the time they were placed.")


def _page(sort: str, *, mine: bool, status: bool, phone: bool) -> Sql:
    """The page of a list: the narrowest filter's index is walked; the unary plus keeps the others from leading away."""
    direction, beyond = ("DESC", "<") if sort == "newest" else ("ASC", ">")
    keys = ["o.placed_at", "o.id"]
    if phone:
        index, walked = "orders_by_phone", ["o.customer_phone = :phone"]
    elif mine:
        index, walked = "orders_by_api_key", ["o.api_key_id = :api_key_id"]
    elif status:
        index, walked = "orders_by_status", ["o.status = :status"]
    else:  # ids sort by time: the primary key is the list of all orders
        index, walked, keys = "orders.pk", [], ["o.id"]
    if phone and mine:
        walked.append("+o.api_key_id = :api_key_id")
    if (phone or mine) and status:
        walked.append("+o.status = :status")
    after = ", ".join(key.replace("o.", ":after_") for key in keys)
    walked.append(f"({', '.join(keys)}) {beyond} ({after})")
    return Sql(
        f"""
        SELECT o.placed_at, o.id, {ORDER_JSON} AS item FROM orders o
        WHERE {" AND ".join(walked)} ORDER BY {", ".join(f"{key} {direction}" for key in keys)} LIMIT :count
        """,
        index,
        "order_items_by_order",
    )


PAGES: Final = {
    (sort, mine, status, phone): _page(sort, mine=mine, status=status, phone=phone)
    for sort in ("newest", "oldest")
    for mine, status, phone in product((False, True), repeat=3)
}
BEGINNING: Final = {"newest": ["~", "~"], "oldest": ["", ""]}
"""Later than every time and id, and earlier."""


@endpoint("GET /orders", permission=SIGNED_IN)
async def list_orders(request: ListOrdersRequest, call: Call) -> Answer[Page[Order]]:
    await call.judged()  # who asks decides which list it is
    mine = not call.actor.may("orders:read")
    page = PAGES[request.sort, mine, request.status is not None, request.phone is not None]
    after_placed_at, after_id = call.after(request, request.sort) or BEGINNING[request.sort]
    values = {
        "api_key_id": call.actor.id,
        "status": request.status,
        "phone": request.phone,
        "after_placed_at": after_placed_at,
        "after_id": after_id,
        "count": request.limit + 1,
    }
    (rows,) = await call.read(page(**{name: values[name] for name in page.names}))
    return call.page(request, rows, ("placed_at", "id"), request.sort)


handler = Mangum(list_orders, lifespan="off", text_mime_types=TEXT)

"""GET /orders: all orders for staff with orders:read, else the caller's own, a person's or a key's. Changes nothing.

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
OWNERS: Final = {"user_id": "orders_by_user_and_time", "api_key_id": "orders_by_api_key"}
"""The column of whoever placed an order, and the index of theirs in the order of time."""


class ListOrdersRequest(PageRequest):
    status: OrderStatus | None = None
    phone: PhoneInQuery | None = Field(default=None, description="The customer's, E.164.")
    sort: Sort = Field(default="newest", description="By the time they were placed.")


def _page(sort: str, *, owner: str | None, status: bool, phone: bool) -> Sql:
    """The page of a list: the narrowest filter's index is walked; the unary plus keeps the others from leading away."""
    direction, beyond = ("DESC", "<") if sort == "newest" else ("ASC", ">")
    keys = ["o.placed_at", "o.id"]
    if phone:
        index, walked = "orders_by_phone", ["o.customer_phone = :phone"]
    elif owner:
        index, walked = OWNERS[owner], [f"o.{owner} = :owner"]
    elif status:
        index, walked = "orders_by_status", ["o.status = :status"]
    else:  # ids sort by time: the primary key is the list of all orders
        index, walked, keys = "orders.pk", [], ["o.id"]
    if phone and owner:
        walked.append(f"+o.{owner} = :owner")
    if (phone or owner) and status:
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
    (sort, owner, status, phone): _page(sort, owner=owner, status=status, phone=phone)
    for sort, owner, status, phone in product(
        ("newest", "oldest"), (None, "user_id", "api_key_id"), (False, True), (False, True)
    )
}
BEGINNING: Final = {"newest": ["~", "~"], "oldest": ["", ""]}
"""Later than every time and id, and earlier."""


@endpoint("GET /orders", permission=SIGNED_IN)
async def list_orders(request: ListOrdersRequest, call: Call) -> Answer[Page[Order]]:
    await call.judged()  # who asks decides which list it is
    owner = None if call.actor.may("orders:read") else "user_id" if call.actor.user_id else "api_key_id"
    page = PAGES[request.sort, owner, request.status is not None, request.phone is not None]
    after_placed_at, after_id = call.after(request, request.sort) or BEGINNING[request.sort]
    values = {
        "owner": call.actor.id,
        "status": request.status,
        "phone": request.phone,
        "after_placed_at": after_placed_at,
        "after_id": after_id,
        "count": request.limit + 1,
    }
    (rows,) = await call.read(page(**{name: values[name] for name in page.names}))
    return call.page(request, rows, ("placed_at", "id"), request.sort)


handler = Mangum(list_orders, lifespan="off", text_mime_types=TEXT)

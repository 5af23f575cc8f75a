"""POST /orders/{order}/fulfil: the paid order is packed, or change nothing.

Staff with orders:fulfil. What was sold before it had arrived (backordered) cannot be packed: 409 insufficient_stock
names each such line with the pieces ordered and those that are there, as the batch itself finds them.
"""

import json

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order, OrderKey
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import orders
from domain.orders import moved, reference_of
from domain.refusals import Refusal


class FulfilOrderRequest(Shape):
    order: OrderKey


_OWED = "FROM order_items WHERE order_id = :order_id AND +backordered_quantity > 0"
NOTHING_OWED = Sql(
    guard(
        f"NOT EXISTS (SELECT 1 {_OWED})",
        "insufficient_stock",
        "(SELECT json_object('lines', json_group_array(json_object('variant_id', variant_id, 'requested', quantity, "
        f"'available', quantity - backordered_quantity))) {_OWED})",
    ),
    "order_items_by_order",
)


@endpoint(
    "POST /orders/{order}/fulfil",
    permission="orders:fulfil",
    idempotency="optional",
    if_match="required",
    errors=("not_found", "illegal_transition", "insufficient_stock"),
)
async def fulfil_order(request: FulfilOrderRequest, call: Call) -> Answer[Order]:
    (found,) = await call.read(orders.FIND(order=request.order, reference=reference_of(request.order)))
    if not found:
        raise Refusal("not_found")
    call.match(found[0]["version"])
    order = json.loads(found[0]["item"])
    after = moved(order, "FULFILLED", call.now)
    ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
    plan = [
        NOTHING_OWED(order_id=order["id"]),
        *orders.moving(order, "FULFILLED", **ids, actor=call.actor.id, now=call.now),
    ]
    call.audit_changes("orders:fulfil", "orders", order["id"], order, {"status": after["status"]})
    return await call.commit(plan, Answer(after, version=after["version"]))


handler = Mangum(fulfil_order, lifespan="off", text_mime_types=TEXT)

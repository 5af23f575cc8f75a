"""POST /orders/{order}/deliver: the shipped order has arrived, or change nothing.

Staff with orders:fulfil. The last step of an order's life.
"""

import json

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order, OrderKey
from api.shapes import Shape
from db.statements import orders
from domain.orders import moved, reference_of
from domain.refusals import Refusal


class DeliverOrderRequest(Shape):
    order: OrderKey


@endpoint(
    "POST /orders/{order}/deliver",
    permission="orders:fulfil",
    idempotency="optional",
    if_match="required",
    errors=("not_found", "illegal_transition"),
)
async def deliver_order(request: DeliverOrderRequest, call: Call) -> Answer[Order]:
    (found,) = await call.read(orders.FIND(order=request.order, reference=reference_of(request.order)))
    if not found:
        raise Refusal("not_found")
    call.match(found[0]["version"])
    order = json.loads(found[0]["item"])
    after = moved(order, "DELIVERED", call.now)
    ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
    plan = orders.moving(order, "DELIVERED", **ids, actor=call.actor.id, now=call.now)
    call.audit_changes("orders:fulfil", "orders", order["id"], order, {"status": after["status"]})
    return await call.commit(plan, Answer(after, version=after["version"]))


handler = Mangum(deliver_order, lifespan="off", text_mime_types=TEXT)

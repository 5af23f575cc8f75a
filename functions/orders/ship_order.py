"""POST /orders/{order}/ship: the packed order goes out, or change nothing.

Staff with orders:fulfil. From here on it cannot be cancelled: that is decided by the version both read.
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


class ShipOrderRequest(Shape):
    order: OrderKey


@endpoint(
    "POST /orders/{order}/ship",
    permission="orders:fulfil",
    idempotency="optional",
    if_match="required",
    errors=("not_found", "illegal_transition"),
)
async def ship_order(request: ShipOrderRequest, call: Call) -> Answer[Order]:
    (found,) = await call.read(orders.FIND(order=request.order, reference=reference_of(request.order)))
    if not found:
        raise Refusal("not_found")
    call.match(found[0]["version"])
    order = json.loads(found[0]["item"])
    after = moved(order, "SHIPPED", call.now)
    ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
    plan = orders.moving(order, "SHIPPED", **ids, actor=call.actor.id, now=call.now)
    call.audit_changes("orders:fulfil", "orders", order["id"], order, {"status": after["status"]})
    return await call.commit(plan, Answer(after, version=after["version"]))


handler = Mangum(ship_order, lifespan="off", text_mime_types=TEXT)

"""POST /orders/{order}/cancel: cancel the order and give its stock back once, or change nothing.

The buyer may while it is PENDING (the API key that placed it, or a guest by phone), staff with orders:cancel up to
FULFILLED. Money that was paid stays on its payments until it is refunded. Of twenty cancellations at once, or a
cancellation and a payment, one finds the version that it read; the others are told that the order has changed.
"""

import json

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order, OrderKey, PhoneInQuery
from api.shapes import InQuery, Shape
from db.statements import orders
from domain.orders import cancelled, given_back, is_buyers, reference_of
from domain.refusals import Refusal


class CancelOrderRequest(Shape):
    order: OrderKey
    phone: InQuery[PhoneInQuery | None] = None


@endpoint(
    "POST /orders/{order}/cancel",
    permission=PUBLIC,
    idempotency="optional",
    if_match="required",
    errors=("not_found", "forbidden", "illegal_transition"),
)
async def cancel_order(request: CancelOrderRequest, call: Call) -> Answer[Order]:
    (found,) = await call.read(orders.FIND(order=request.order, reference=reference_of(request.order)))
    by_staff = call.actor.may("orders:cancel")
    if not found:
        raise Refusal("not_found")
    if not by_staff and not is_buyers(found[0], call.actor.id, request.phone):
        raise Refusal("forbidden" if call.actor.may("orders:read") else "not_found")
    call.match(found[0]["version"])
    order = json.loads(found[0]["item"])
    after = cancelled(order, call.now, by_staff=by_staff)
    back = given_back(order["items"], call.ids("move", len(order["items"])))
    ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
    plan = orders.cancelling(order, back, **ids, actor=call.actor.id, now=call.now)
    return await call.commit(plan, Answer(after, version=after["version"]))


handler = Mangum(cancel_order, lifespan="off", text_mime_types=TEXT)

"""POST /orders/{order}/cancel: cancel the order and give its stock back once, or change nothing.

The buyer may while it is PENDING (the person or API key that placed it, or a guest by phone: of wrong numbers ten an
hour may be tried, as for `GET /orders/{order}`), staff with orders:cancel up to FULFILLED. Money that was paid stays on
its payments until it is refunded. Of twenty cancellations at once, or a cancellation and a payment, one finds the
version that it read; the others are told that the order has changed.
"""

import json

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.guests import known_order
from api.order_shapes import Order, OrderKey, PhoneInQuery
from api.shapes import InQuery, Shape
from db.statements import orders
from domain.orders import cancelled, given_back, is_buyers
from domain.refusals import Refusal


class CancelOrderRequest(Shape):
    order: OrderKey
    phone: InQuery[PhoneInQuery | None] = None


@endpoint(
    "POST /orders/{order}/cancel",
    permission=PUBLIC,
    idempotency="optional",
    if_match="required",
    errors=("not_found", "forbidden", "illegal_transition", "rate_limited"),
)
async def cancel_order(request: CancelOrderRequest, call: Call) -> Answer[Order]:
    found = await known_order(request.order, request.phone, call, staff=("orders:cancel", "orders:read"))
    by_staff = call.actor.may("orders:cancel")
    if not by_staff and not is_buyers(found, call.actor.id, request.phone):
        raise Refusal("forbidden")
    call.match(found["version"])
    order = json.loads(found["item"])
    after = cancelled(order, call.now, by_staff=by_staff)
    back = given_back(order["items"], call.ids("move", len(order["items"])))
    ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
    plan = orders.cancelling(order, back, **ids, actor=call.actor.id, now=call.now)
    if by_staff:
        call.audit_changes("orders:cancel", "orders", order["id"], order, {"status": after["status"]})
    return await call.commit(plan, Answer(after, version=after["version"]))


handler = Mangum(cancel_order, lifespan="off", text_mime_types=TEXT)

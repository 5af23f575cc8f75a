"""GET /orders/{order}: one order with its items, by id or reference. Changes nothing.

Who may: staff with orders:read, the API key that placed it, and a guest who adds the phone number it was placed with.
To anybody else it is not there, in the same words as an order that never was.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order, OrderKey, PhoneInQuery
from api.shapes import Shape
from db.statements import orders
from domain.orders import is_buyers, reference_of
from domain.refusals import Refusal


class ViewOrderRequest(Shape):
    order: OrderKey
    phone: PhoneInQuery | None = None


@endpoint("GET /orders/{order}", permission=PUBLIC)
async def view_order(request: ViewOrderRequest, call: Call) -> Answer[Order]:
    (found,) = await call.read(orders.FIND(order=request.order, reference=reference_of(request.order)))
    if not found or not (call.actor.may("orders:read") or is_buyers(found[0], call.actor.id, request.phone)):
        raise Refusal("not_found")
    return Answer(found[0]["item"], version=found[0]["version"])


handler = Mangum(view_order, lifespan="off", text_mime_types=TEXT)

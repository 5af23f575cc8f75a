"""GET /orders/{order}: one order with its items, by id or reference. Changes nothing, but counts wrong guesses.

Who may: staff with orders:read, the person or API key that placed it, and a guest who adds the order's phone number.
To anybody else it is not there, in the same words as an order that never was. Ten wrong numbers an hour may be tried
for what is asked for; then the right one, too, is refused until the hour is over.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.guests import known_order
from api.order_shapes import Order, OrderKey, PhoneInQuery
from api.shapes import Shape


class ViewOrderRequest(Shape):
    order: OrderKey
    phone: PhoneInQuery | None = None


@endpoint("GET /orders/{order}", permission=PUBLIC, errors=("rate_limited",))
async def view_order(request: ViewOrderRequest, call: Call) -> Answer[Order]:
    found = await known_order(request.order, request.phone, call, staff=("orders:read",))
    return await call.commit([], Answer(found["item"], version=found["version"]))


handler = Mangum(view_order, lifespan="off", text_mime_types=TEXT)

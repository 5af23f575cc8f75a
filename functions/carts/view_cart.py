"""GET /carts/{cart}: the cart at today's prices, with what is available of each article. Changes nothing.

Its guest, by `X-Cart-Token`, or its owner. An expired cart is shown as abandoned, a checked-out one as
it was.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.carts import CART, Cart, CartKey, asked_for
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements.stock import LOCATION
from domain.refusals import Refusal


class ViewCartRequest(Shape):
    cart: CartKey


@endpoint("GET /carts/{cart}", permission=PUBLIC, headers=("X-Cart-Token",), errors=("cart_not_found",))
async def view_cart(request: ViewCartRequest, call: Call) -> Answer[Cart]:
    found, shown = await call.read(
        asked_for(request.cart, call), CART.told(cart_id=request.cart, location_id=LOCATION, now=call.now)
    )
    if not found:
        raise Refusal("cart_not_found")
    return Answer(shown[0]["answer"], version=shown[0]["version"])


handler = Mangum(view_cart, lifespan="off", text_mime_types=TEXT)

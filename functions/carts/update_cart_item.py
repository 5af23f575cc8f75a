"""PATCH /carts/{cart}/items/{item}: set how many pieces of an article are in a cart, or change nothing.

Its guest, by `X-Cart-Token`, or its owner. Of two at once the later one counts, unless If-Match says
otherwise; an item removed meanwhile is not found.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.carts import Cart, CartKey, ItemKey, as_it_is, asked_for, changing, open_cart
from api.endpoint import TEXT, endpoint
from api.shapes import Quantity, Shape
from db.sql import Sql
from db.statements.carts import CHANGED, ITEM
from domain.carts import CLOSED
from domain.refusals import Refusal


class UpdateCartItemRequest(Shape):
    cart: CartKey
    item: ItemKey
    quantity: Quantity


SET_QUANTITY = Sql(
    "UPDATE cart_items SET quantity = :quantity, updated_at = :now WHERE id = :item AND +cart_id = :cart_id",
    "cart_items.pk",
)


@endpoint(
    "PATCH /carts/{cart}/items/{item}",
    permission=PUBLIC,
    if_match="optional",
    headers=("X-Cart-Token",),
    errors=("cart_not_found", *CLOSED),
)
async def update_cart_item(request: UpdateCartItemRequest, call: Call) -> Answer[Cart]:
    found, items = await call.read(asked_for(request.cart, call), ITEM(item=request.item, cart_id=request.cart))
    cart_id = open_cart(found, call)["id"]
    if not items:
        raise Refusal("not_found")
    change = [SET_QUANTITY(item=request.item, cart_id=cart_id, quantity=request.quantity, now=call.now), CHANGED()]
    return await call.commit(changing(cart_id, call, change), as_it_is(cart_id))


handler = Mangum(update_cart_item, lifespan="off", text_mime_types=TEXT)

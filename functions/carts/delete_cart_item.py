"""DELETE /carts/{cart}/items/{item}: take an article out of a cart, or change nothing.

Its guest, by `X-Cart-Token`, or its owner. Of two at once one removes it, for the other it is not found.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.carts import CartKey, ItemKey, asked_for, changing, open_cart
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements.carts import CHANGED, ITEM
from domain.carts import CLOSED
from domain.refusals import Refusal


class DeleteCartItemRequest(Shape):
    cart: CartKey
    item: ItemKey


REMOVE = Sql("DELETE FROM cart_items WHERE id = :item AND +cart_id = :cart_id", "cart_items.pk")


@endpoint(
    "DELETE /carts/{cart}/items/{item}",
    status=204,
    permission=PUBLIC,
    if_match="optional",
    headers=("X-Cart-Token",),
    errors=("cart_not_found", *CLOSED),
)
async def delete_cart_item(request: DeleteCartItemRequest, call: Call) -> Answer[None]:
    found, items = await call.read(asked_for(request.cart, call), ITEM(item=request.item, cart_id=request.cart))
    cart_id = open_cart(found, call)["id"]
    if not items:
        raise Refusal("not_found")
    change = [REMOVE(item=request.item, cart_id=cart_id), CHANGED()]
    return await call.commit(changing(cart_id, call, change), Answer(None, status=204))


handler = Mangum(delete_cart_item, lifespan="off", text_mime_types=TEXT)

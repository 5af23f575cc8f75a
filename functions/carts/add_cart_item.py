"""POST /carts/{cart}/items: put pieces of a variant into a cart, or change nothing.

Its guest, by `X-Cart-Token`, or its owner. A variant that is in the cart already gets the more pieces.
Of two additions at once both count: the quantity grows where it stands, and nothing but the limits of a cart makes the
line run again. What is in a cart is not held: its checkout decides what is left.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.carts import Cart, CartKey, adding, as_it_is, asked_for, changing, open_cart
from api.endpoint import TEXT, endpoint
from api.lines import Line
from api.problems import invalid
from db.statements.carts import LINES
from db.statements.checkout import PRICED_LINES
from db.statements.stock import LOCATION
from domain.carts import CLOSED
from domain.checkout import LINES_MAX, QUANTITY_MAX, check_lines


class AddCartItemRequest(Line):
    cart: CartKey


@endpoint(
    "POST /carts/{cart}/items",
    status=201,
    permission=PUBLIC,
    idempotency="optional",
    if_match="optional",
    headers=("X-Cart-Token",),
    errors=("cart_not_found", *CLOSED, "unknown_variant", "variant_not_for_sale", "mixed_currency"),
)
async def add_cart_item(request: AddCartItemRequest, call: Call) -> Answer[Cart]:
    variant, quantity = request.variant_id, request.quantity
    found, lines, rows = await call.read(
        asked_for(request.cart, call),
        LINES(cart_id=request.cart),
        PRICED_LINES(lines=dumps({variant: quantity}), location_id=LOCATION),
    )
    cart_id = open_cart(found, call)["id"]
    check_lines(rows, beside=lines)
    there = {line["variant_id"]: line["quantity"] for line in lines}
    if there.get(variant, 0) + quantity > QUANTITY_MAX:
        raise invalid("/quantity", "less_than_equal", le=QUANTITY_MAX - there.get(variant, 0))
    if len(there | {variant: quantity}) > LINES_MAX:
        raise invalid("/variant_id", "too_long", max_length=LINES_MAX)
    line = {"id": call.id("item"), "variant_id": variant, "quantity": quantity}
    change = adding(cart_id, dumps([line]), call.now)
    return await call.commit(changing(cart_id, call, change), as_it_is(cart_id, 201, f"/carts/{cart_id}"))


handler = Mangum(add_cart_item, lifespan="off", text_mime_types=TEXT)

"""PATCH /carts/{cart}: replace all items of a cart, or only extend its life, or change nothing.

Its guest, by `X-Cart-Token`, or its owner. `items` are the whole new list, empty to empty the cart;
without `items` nothing but `expires_at` moves on. An article that stays keeps its item's id. Whoever replaces last
wins, unless If-Match says otherwise; FITS holds that an addition at the same time makes the cart neither too long nor
mixed.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.carts import Cart, CartKey, as_it_is, asked_for, changing, open_cart
from api.endpoint import TEXT, endpoint
from api.lines import Lines, wanted
from api.shapes import Shape
from db.sql import Sql, Statement
from db.statements.carts import FITS, SET_LINES
from db.statements.checkout import PRICED_LINES
from db.statements.stock import LOCATION
from domain.carts import CLOSED
from domain.checkout import LINES_MAX, check_lines


class UpdateCartRequest(Shape):
    cart: CartKey
    items: Lines | None = Field(default=None, description="All items that the cart shall have.")


REMOVE_OTHERS = Sql(
    """
    DELETE FROM cart_items
    WHERE cart_id = :cart_id AND variant_id NOT IN (SELECT l.value ->> 'variant_id' FROM json_each(:lines) l)
    """,
    "cart_items_variant_once",
)


@endpoint(
    "PATCH /carts/{cart}",
    permission=PUBLIC,
    if_match="optional",
    headers=("X-Cart-Token",),
    errors=("cart_not_found", *CLOSED, "unknown_variant", "variant_not_for_sale", "mixed_currency"),
)
async def update_cart(request: UpdateCartRequest, call: Call) -> Answer[Cart]:
    pieces, now = wanted(request.items or [], "items"), call.now
    found, rows = await call.read(
        asked_for(request.cart, call), PRICED_LINES(lines=dumps(pieces), location_id=LOCATION)
    )
    cart_id = open_cart(found, call)["id"]
    check_lines(rows)
    lines = dumps(
        [
            {"id": item, "variant_id": variant, "quantity": quantity}
            for item, (variant, quantity) in zip(call.ids("item", len(pieces)), pieces.items(), strict=True)
        ]
    )
    replaced: list[Statement] = []
    if request.items is not None:
        replaced = [
            REMOVE_OTHERS(cart_id=cart_id, lines=lines),
            SET_LINES(cart_id=cart_id, lines=lines, now=now),
            FITS(cart_id=cart_id, lines_max=LINES_MAX),
        ]
    return await call.commit(changing(cart_id, call, replaced), as_it_is(cart_id))


handler = Mangum(update_cart, lifespan="off", text_mime_types=TEXT)

"""DELETE /carts/{cart}: remove a cart with its items and release what is held for it, or change nothing.

Its guest, by `X-Cart-Token`, or its owner. A cart that became an order stays. Against a checkout or a
reservation at the same time, `DELETABLE` and `NO_HOLDS` hold that none came between; the later one finds no cart, or
this line runs again.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.carts import CartKey, asked_for, own
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import stock
from db.statements.stock import LOCATION
from domain.refusals import Refusal
from domain.stock import releases


class DeleteCartRequest(Shape):
    cart: CartKey


HOLDS = Sql(
    """
    SELECT id, variant_id, quantity, expires_at,
      CASE WHEN expires_at <= :now THEN 'EXPIRED' ELSE 'RELEASED' END AS status
    FROM reservations WHERE cart_id = :cart_id AND +status = 'HELD' AND +location_id = :location_id
    """,
    "reservations_by_cart",
)
DELETABLE = Sql(
    guard(
        "EXISTS (SELECT 1 FROM carts WHERE id = :cart_id AND status <> 'CHECKED_OUT' "
        "AND version = coalesce(:version, version))",
        "stale",
        "'cart'",
    ),
    "carts.pk",
)
NO_HOLDS = Sql(
    guard("NOT EXISTS (SELECT 1 FROM reservations WHERE cart_id = :cart_id AND +status = 'HELD')", "stale", "'holds'"),
    "reservations_by_cart",
)
# A hold is history and stays; only the cart that it names goes.
FORGET = Sql(
    "UPDATE reservations SET cart_id = NULL, updated_at = :now WHERE cart_id = :cart_id", "reservations_by_cart"
)
REMOVE_ITEMS = Sql("DELETE FROM cart_items WHERE cart_id = :cart_id", "cart_items_by_cart")
REMOVE = Sql("DELETE FROM carts WHERE id = :cart_id", "carts.pk")


@endpoint(
    "DELETE /carts/{cart}",
    status=204,
    permission=PUBLIC,
    if_match="optional",
    headers=("X-Cart-Token",),
    errors=("cart_not_found", "cart_not_active"),
)
async def delete_cart(request: DeleteCartRequest, call: Call) -> Answer[None]:
    found, holds = await call.read(
        asked_for(request.cart, call), HOLDS(cart_id=request.cart, location_id=LOCATION, now=call.now)
    )
    cart = own(found, call)
    if cart["status"] == "CHECKED_OUT":
        raise Refusal("cart_not_active")
    cart_id, now = cart["id"], call.now
    released, freed = releases(holds, call.ids("move", len(holds)))
    plan = [
        DELETABLE(cart_id=cart_id, version=call.asked.if_match),
        *stock.release(dumps(released), dumps(freed), call.actor.id, now),
        NO_HOLDS(cart_id=cart_id),
        FORGET(cart_id=cart_id, now=now),
        REMOVE_ITEMS(cart_id=cart_id),
        REMOVE(cart_id=cart_id),
    ]
    return await call.commit(plan, Answer(None, status=204))


handler = Mangum(delete_cart, lifespan="off", text_mime_types=TEXT)

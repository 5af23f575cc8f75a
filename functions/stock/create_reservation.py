"""POST /stock/reservations: hold pieces of a variant until a time, or change nothing.

Staff with `stock:reserve`. The held pieces move from what can be sold to what is reserved; a hold that names a cart
is consumed by that cart's checkout. Of two who want the last piece, `ENOUGH` tells the later one what is left.
"""

from typing import Annotated, Final

from mangum import Mangum
from pydantic import Field, Strict

from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.shapes import Quantity, Shape, id_of
from api.stock_shapes import Reservation
from db.sql import Sql, guard
from db.statements import stock
from db.statements.stock import LOCATION
from db.statements.stock_reads import STOCK_OF_VARIANT
from domain.reservations import REFUSES, check_cart, check_variant
from domain.stock import free_by_variant, releases

EXPIRES_IN_MAX: Final = 604_800


class CreateReservationRequest(Shape):
    variant_id: id_of("variant")  # type: ignore[valid-type]
    quantity: Quantity
    expires_in: Annotated[int, Strict(), Field(ge=1, le=EXPIRES_IN_MAX, description="Seconds.", examples=[900])]
    cart_id: id_of("cart") | None = Field(  # type: ignore[valid-type]
        default=None, description="The cart whose checkout consumes it."
    )


CART = Sql("SELECT status, expires_at FROM carts WHERE id = :cart_id", "carts.pk")
FOR_SALE = Sql(
    guard(
        """EXISTS (SELECT 1 FROM live_variants v CROSS JOIN live_products p
        WHERE v.id = :variant_id AND p.id = v.product_id AND p.status = 'ACTIVE' AND p.inventory_policy <> 'DENY')""",
        "stale",
        "'variant'",
    ),
    "variants.pk",
    "products.pk",
)
CART_IS_ACTIVE = Sql(
    guard("EXISTS (SELECT 1 FROM carts WHERE id = :cart_id AND status = 'ACTIVE')", "stale", "'cart'"), "carts.pk"
)
RESERVE = Sql(
    """
    INSERT INTO reservations (id, variant_id, location_id, cart_id, quantity, status, expires_at, created_at,
      updated_at)
    VALUES (:id, :variant_id, :location_id, :cart_id, :quantity, 'HELD', :expires_at, :now, :now)
    """
)
RESERVE_STOCK = Sql(
    """
    UPDATE inventory SET stock = stock - :quantity, reserved = reserved + :quantity, updated_at = :now
    WHERE variant_id = :variant_id AND location_id = :location_id
    """,
    "inventory.pk",
)


@endpoint(
    "POST /stock/reservations",
    status=201,
    permission="stock:reserve",
    idempotency="optional",
    errors=REFUSES,
)
async def create_reservation(request: CreateReservationRequest, call: Call) -> Answer[Reservation]:
    variant_id, quantity, now = request.variant_id, request.quantity, call.now
    here = {"variant_id": variant_id, "location_id": LOCATION}
    wanted = dumps({variant_id: quantity})
    found, holds, carts = await call.read(
        STOCK_OF_VARIANT(**here),
        stock.FREE_HOLDS(variants=wanted, location_id=LOCATION, now=now, cart_id=None),
        CART(cart_id=request.cart_id),
    )
    check_variant(found[0] if found else None, variant_id, quantity, free=free_by_variant(holds).get(variant_id, 0))
    if request.cart_id is not None:
        check_cart(carts[0] if carts else None, now)
    move_ids = call.ids("move", len(holds) + 1)
    released, freed = releases(holds, move_ids[:-1])
    reservation_id = call.id("reservation")
    held = {"id": reservation_id, "cart_id": request.cart_id, "quantity": quantity}
    held["expires_at"] = call.later(request.expires_in)
    move = {"id": move_ids[-1], "delta": -quantity, "reason": "reservation", "actor": call.actor.id, "note": held["id"]}
    plan = [
        FOR_SALE(variant_id=variant_id),
        *([CART_IS_ACTIVE(cart_id=request.cart_id)] if request.cart_id else []),
        *stock.release(dumps(released), dumps(freed), call.actor.id, now),
        stock.ENOUGH(take=wanted, location_id=LOCATION),
        RESERVE_STOCK(**here, quantity=quantity, now=now),
        RESERVE(**here, **held, now=now),
        stock.ADD_MOVE(**here, **move, now=now),
        stock.LOW_STOCK(
            moves=dumps([{"id": move_ids[-1], "variant_id": variant_id, "quantity": quantity}]),
            location_id=LOCATION,
            now=now,
        ),
    ]
    call.audit("stock:reserve", "reservations", reservation_id, after={**held, "variant_id": variant_id})
    answer = {**held, "variant_id": variant_id, "status": "HELD", "created_at": now}
    return await call.commit(plan, Answer(answer, status=201, location=f"/stock/reservations/{reservation_id}"))


handler = Mangum(create_reservation, lifespan="off", text_mime_types=TEXT)

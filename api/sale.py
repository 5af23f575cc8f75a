"""What a quote and a checkout are asked alike, and the one read that prices it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, Strict

from api.buyer_shapes import Address
from api.call import Call, dumps
from api.lines import Lines, wanted
from api.shapes import Attributes, Shape, id_of
from db.helper import Row
from db.statements import checkout, stock
from db.statements.stock import LOCATION
from domain.carts import check_open
from domain.refusals import Refusal
from domain.stock import Hold


class SaleRequest(Shape):
    cart_id: id_of("cart") | None = None  # type: ignore[valid-type]
    lines: Lines | None = Field(default=None, description="Instead of `cart_id`.")
    billing_address: Address | None = Field(default=None, description="If it differs from the shipping address.")
    notes: str | None = Field(default=None, max_length=2_000)
    metadata: Attributes = Field(default_factory=dict)
    coupon_code: str | None = Field(default=None, min_length=1, max_length=40)
    expected_total: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        default=None, description="The total that the buyer saw, minor units; another one is refused."
    )


async def read_sale(request: SaleRequest, call: Call) -> tuple[list[Row], list[Hold], Mapping[str, Any] | None]:
    """Priced lines, holds that count as free, and the cart if there is one. Raises Refusal, and 422 for a line."""
    if (request.cart_id is None) == (request.lines is None):
        raise Refusal("cart_or_lines")
    free = {"location_id": LOCATION, "now": call.now, "cart_id": request.cart_id}
    if request.lines is not None:
        lines = dumps(wanted(request.lines, "lines"))
        rows, holds = await call.read(
            checkout.PRICED_LINES(lines=lines, location_id=LOCATION), stock.FREE_HOLDS(variants=lines, **free)
        )
        return rows, holds, None
    carts, rows, holds = await call.read(
        checkout.CART_OF_CALLER(
            cart_id=request.cart_id,
            token_hash=call.cart_token_hash,
            credential=call.key_hash,
            user_id=call.user_id,
        ),
        checkout.PRICED_CART(cart_id=request.cart_id, location_id=LOCATION),
        stock.FREE_HOLDS_OF_CART(**free),
    )
    if not carts:
        raise Refusal("cart_not_found")
    check_open(carts[0], call.now)
    return rows, holds, carts[0]

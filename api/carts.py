"""The shape of a cart, and what every endpoint on a cart begins and ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from api.call import Answer, Call, Told
from api.idempotency import telling
from api.shapes import Currency, Shape, Time, Total, id_of
from db.helper import Row
from db.sql import Statement
from db.statements import carts
from db.statements.checkout import CART_OF_CALLER
from db.statements.stock import LOCATION
from domain.carts import check_open
from domain.checkout import LINES_MAX, QUANTITY_MAX
from domain.refusals import Refusal

CART: Final = telling(carts.CART, *carts.CART_INDEXES)

CartKey = Annotated[str, Field(max_length=100, description="The cart's id.")]
ItemKey = Annotated[str, Field(max_length=100, description="The item's id, not the variant's.")]


class CartItem(Shape):
    id: id_of("item")  # type: ignore[valid-type]
    variant_id: str
    title: str = Field(description="The product's title today.")
    quantity: int = Field(ge=1)
    unit_price: Total = Field(description="Today's price, minor units.")
    total: Total
    available: int = Field(
        ge=0, description="Pieces that this cart's checkout could take now; 0 for what is no longer for sale."
    )


class Cart(Shape):
    id: id_of("cart")  # type: ignore[valid-type]
    status: Literal["ACTIVE", "CHECKED_OUT", "ABANDONED"] = Field(description="ABANDONED from `expires_at` on.")
    currency: Currency | None = Field(
        description="Null for an empty cart, and should prices have come to differ in it."
    )
    items: list[CartItem]
    subtotal: Total
    expires_at: Time = Field(description="Every change moves it on.")
    version: int = Field(ge=1, description="Also the ETag; send it back as If-Match if you like.")


def asked_for(cart_id: str, call: Call) -> Statement:
    """The question for a cart, if it is the caller's."""
    return CART_OF_CALLER(
        cart_id=cart_id, token_hash=call.cart_token_hash, credential=call.key_hash, user_id=call.user_id
    )


def own(found: Sequence[Row], call: Call) -> dict[str, Any]:
    """The caller's cart. Refuses one that is not there or not theirs, and one of another version than If-Match says."""
    if not found:
        raise Refusal("cart_not_found")
    call.match(found[0]["version"])
    return found[0]


def open_cart(found: Sequence[Row], call: Call) -> dict[str, Any]:
    """The caller's cart, if it may still be changed. Refuses like `own`, and one that is over."""
    cart = own(found, call)
    check_open(cart, call.now)
    return cart


def changing(cart_id: str, call: Call, change: Sequence[Statement]) -> list[Statement]:
    """The batch of a change: the cart is still open, the change itself, a new version."""
    return [
        carts.OPEN(cart_id=cart_id, version=call.asked.if_match, now=call.now),
        *change,
        carts.TOUCH(cart_id=cart_id, expires_at=call.later(call.settings.cart_ttl), now=call.now),
    ]


def adding(cart_id: str, lines: str, now: str) -> list[Statement]:
    """The statements that add `lines` (JSON, as ROOM says) to a cart: a variant that is there already gets the more."""
    return [
        carts.ROOM(lines=lines, cart_id=cart_id, quantity_max=QUANTITY_MAX),
        carts.ADD_LINES(lines=lines, cart_id=cart_id, now=now),
        carts.FITS(cart_id=cart_id, lines_max=LINES_MAX),
    ]


def as_it_is(cart_id: str, status: int = 200, location: str | None = None) -> Answer[Any]:
    """The cart as it stands when the batch is done."""
    return Answer(Told(CART, {"cart_id": cart_id, "location_id": LOCATION}), status, location)

"""The shapes of stock, shared by the endpoints that answer them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.shapes import Shape, Time, id_of

Reason = Literal["sale", "return", "adjustment", "receipt", "reservation", "release", "transfer"]


class Stock(Shape):
    variant_id: id_of("variant")  # type: ignore[valid-type]
    available: int = Field(ge=0, description="Pieces that can be sold now.")
    reserved: int = Field(ge=0, description="Pieces that are held.")
    on_hand: int = Field(ge=0, description="available + reserved.")
    low_stock_threshold: int = Field(ge=0, description="`available` at or below it is low.")
    policy: Literal["TRACK", "DENY", "CONTINUE"] = Field(
        description="TRACK: sold while stock lasts; DENY: not sold; CONTINUE: sold beyond it, the rest is owed."
    )
    updated_at: Time


class Move(Shape):
    id: id_of("move")  # type: ignore[valid-type]
    variant_id: id_of("variant")  # type: ignore[valid-type]
    order_id: str | None
    delta: int = Field(description="The change of `available`, in pieces.")
    reason: Reason
    balance_after: int = Field(ge=0, description="`available` after this move, expired holds that nobody ended aside.")
    actor: str = Field(description="Who: an API key's id, a job, or anonymous.")
    note: str | None
    created_at: Time


class Reservation(Shape):
    id: id_of("reservation")  # type: ignore[valid-type]
    variant_id: id_of("variant")  # type: ignore[valid-type]
    cart_id: str | None = Field(description="The cart whose checkout consumes it.")
    quantity: int = Field(ge=1)
    status: Literal["HELD", "CONSUMED", "RELEASED", "EXPIRED"]
    expires_at: Time
    created_at: Time

"""The shape of an order, shared by every endpoint that answers one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from api.buyer_shapes import Address
from api.shapes import Attributes, Currency, Phone, Shape, Time, Total, id_of

OrderStatus = Literal["PENDING", "PAID", "FULFILLED", "SHIPPED", "DELIVERED", "CANCELLED"]
OrderKey = Annotated[
    str,
    Field(
        max_length=100, description="Id, or reference in any case, with or without its dash.", examples=["7K3M-9QPX"]
    ),
]


def _with_plus(text: Any) -> Any:
    """A `+` that was not percent-encoded arrives as a space: nobody's phone number begins with one."""
    return f"+{text[1:]}" if isinstance(text, str) and text[:1] == " " else text


PhoneInQuery = Annotated[Phone, BeforeValidator(_with_plus)]


class OrderItem(Shape):
    id: id_of("item")  # type: ignore[valid-type]
    product_id: str
    variant_id: str
    producer_id: str | None
    title: str = Field(description="The product's title when it was ordered.")
    variant_title: str = Field(description="The variant's title when it was ordered.")
    status: OrderStatus
    quantity: int = Field(ge=1)
    backordered_quantity: int = Field(ge=0, description="Pieces still to come from receipts.")
    unit_price: Total
    total: Total


class Order(Shape):
    id: id_of("order")  # type: ignore[valid-type]
    reference: str = Field(pattern="^[0-9A-Z]{4}-[0-9A-Z]{4}$", description="For people.", examples=["7K3M-9QPX"])
    status: OrderStatus
    version: int = Field(ge=1, description="Also the ETag; send it back as If-Match.")
    currency: Currency
    subtotal: Total
    discount: Total
    tax: Total
    shipping: Total
    total: Total = Field(description="subtotal − discount + tax + shipping.")
    items: list[OrderItem]
    customer: dict[str, Any] = Field(description="Name, phone and email as given; empty once erased.")
    shipping_address: Address | None
    billing_address: Address | None
    notes: str | None
    metadata: Attributes
    placed_at: Time
    expires_at: Time | None = Field(description="When an unpaid order is cancelled; null for never.")
    paid_at: Time | None
    fulfilled_at: Time | None
    shipped_at: Time | None
    delivered_at: Time | None
    cancelled_at: Time | None

"""Who buys, and where it goes."""

from __future__ import annotations

from pydantic import Field

from api.shapes import BUYERS_EMAIL_FORM, Phone, Shape


class Customer(Shape):
    name: str = Field(min_length=1, max_length=200)
    phone: Phone
    email: str | None = Field(default=None, max_length=254, pattern=BUYERS_EMAIL_FORM)


class Address(Shape):
    name: str | None = Field(
        default=None, min_length=1, max_length=200, description="Who receives, if not the customer."
    )
    phone: Phone | None = None
    line1: str = Field(min_length=1, max_length=200)
    line2: str | None = Field(default=None, max_length=200)
    city: str = Field(min_length=1, max_length=100)
    state: str | None = Field(default=None, max_length=100)
    postal_code: str = Field(min_length=1, max_length=20)
    country: str = Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.", examples=["GR"])

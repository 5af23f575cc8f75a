"""The base of every request and response, and the field types that they share."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

ShapeT = TypeVar("ShapeT", bound="Shape")
ValueT = TypeVar("ValueT")

TIME_FORM: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
PHONE_FORM: Final = r"^\+[0-9]{6,15}$"
EMAIL_FORM: Final = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$"
)
BUYERS_EMAIL_FORM: Final = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
LIMIT_MAX: Final = 100
LIMIT_DEFAULT: Final = 20


class Shape(BaseModel):
    """Unknown fields are refused, instances do not change.

    Validators are built when first asked for: a function needs neither its answer's nor those of its request's parts,
    and builds its request's at import (api/endpoint.py).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class FromQuery:
    """Marks a field of a POST, PATCH or DELETE that comes from the query string."""


InQuery = Annotated[ValueT, FromQuery()]


def _plain_integer(text: Any) -> Any:
    """Digits alone: `1_0`, ` 5`, `+5` and `1.0` are what Python takes for integers, not what the contract does."""
    if isinstance(text, str) and not re.fullmatch(r"-?[0-9]{1,18}", text):
        is_long = re.fullmatch(r"-?[0-9]+", text) is not None
        raise PydanticCustomError("int_parsing_size" if is_long else "int_parsing", "not an integer of ours")
    return text


QueryInteger = Annotated[int, BeforeValidator(_plain_integer)]
# Numbers of a JSON body are strict: 1.0, "1" and true are no integers. Query strings use QueryInteger.
Amount = Annotated[
    int, Strict(), Field(ge=0, le=10**9, description="Minor units of the currency (1299 = 12.99 EUR).", examples=[1299])
]
Total = Annotated[int, Field(ge=0, description="Minor units of the currency.", examples=[2598])]
Quantity = Annotated[int, Strict(), Field(ge=1, le=10_000, description="Pieces.", examples=[1])]
Flag = Annotated[bool, Strict()]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.", examples=["EUR"])]
Time = Annotated[
    str,
    Field(
        pattern=TIME_FORM,
        description="RFC 3339 in UTC with milliseconds.",
        examples=["2026-11-21T08:00:00.000Z"],
    ),
]
Slug = Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200, examples=["thyme-honey"])]
Phone = Annotated[str, Field(pattern=PHONE_FORM, description="E.164.", examples=["+306912345678"])]
Attributes = Annotated[dict[str, Any], Field(description="Free JSON object.", max_length=100)]


def id_of(prefix: str) -> Any:
    """The type of a TypeID with `prefix`: the prefix, `_`, and a UUIDv7 in 26 characters of base 32."""
    return Annotated[
        str,
        Field(
            pattern=f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
            description="TypeID.",
            examples=[f"{prefix}_01kaktq2m8e8q8k3v9m1c4x7zd"],
        ),
    ]


class PageRequest(Shape):
    """What every list takes."""

    limit: QueryInteger = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX, description="Items on the page.")
    cursor: str | None = Field(default=None, max_length=1_000, description="`next_cursor` of the page before.")


class Page(Shape, Generic[ShapeT]):
    """What every list answers."""

    items: list[ShapeT]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one.")

"""The shapes of what a person keeps with the shop: addresses, and cards without their numbers."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from api.shapes import Flag, Phone, Shape, Time, id_of


def _no_number(text: str) -> str:
    """Refuses what is, or holds, the number of a card: only digits, or 13 to 19 of them that add up as one's do."""
    bare = re.sub("[ .-]", "", text)
    if (bare.isdigit() and len(bare) > 8) or any(_adds_up(digits) for digits in re.findall("[0-9]{13,19}", bare)):
        raise PydanticCustomError("card_number", "a card number is not kept")
    return text


def _adds_up(digits: str) -> bool:
    """Luhn's sum, of ISO/IEC 7812."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _token(text: str) -> str:
    if re.fullmatch("[0-9 .-]+", text):
        raise PydanticCustomError("card_number", "a card number is not kept")
    return _no_number(text)


Label = Annotated[str, Field(max_length=100, description="The person's own name for it.")]
FullName = Annotated[str, Field(min_length=1, max_length=200)]
Line1 = Annotated[str, Field(min_length=1, max_length=300)]
City = Annotated[str, Field(min_length=1, max_length=200)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.", examples=["GR"])]
IsDefault = Annotated[Flag, Field(description="Of several only one is: setting it takes the mark from the other.")]
Key = Annotated[str, Field(max_length=100)]
Alias = Annotated[str, Field(max_length=100, description="The person's own name for it."), AfterValidator(_no_number)]
Holder = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_number)]
Month = Annotated[int, Strict(), Field(ge=1, le=12)]
Year = Annotated[int, Strict(), Field(ge=2000, le=2100)]
CardType = Literal["CREDIT", "DEBIT", "PREPAID"]
CardToken = Annotated[
    str,
    Field(min_length=8, max_length=255, description="The payment provider's token. Never a number; never answered."),
    AfterValidator(_token),
]
Bin = Annotated[str, Field(pattern="^[0-9]{6,8}$", description="The first six to eight digits.")]
LastFour = Annotated[str, Field(pattern="^[0-9]{4}$")]
Association = Annotated[str, Field(max_length=50, examples=["VISA"]), AfterValidator(_no_number)]
Family = Annotated[str, Field(max_length=100), AfterValidator(_no_number)]
Bank = Annotated[str, Field(max_length=200), AfterValidator(_no_number)]
Line2 = Annotated[str, Field(max_length=300)]
State = Annotated[str, Field(max_length=200)]
PostalCode = Annotated[str, Field(max_length=20)]


class NewAddress(Shape):
    label: Label = ""
    full_name: FullName
    phone: Phone | None = None
    line1: Line1
    line2: Line2 | None = None
    city: City
    state: State | None = None
    postal_code: PostalCode | None = None
    country: Country
    is_default: IsDefault = False


class SavedAddress(NewAddress):
    id: id_of("address")  # type: ignore[valid-type]
    created_at: Time
    updated_at: Time


class CardFacts(Shape):
    card_alias: Alias = ""
    bin_number: Bin
    last_four_digits: LastFour
    card_type: CardType | None = None
    card_association: Association | None = None
    card_family: Family | None = None
    card_bank_name: Bank | None = None
    card_holder_name: Holder
    expiry_month: Month
    expiry_year: Year
    is_default: IsDefault = False


class SavedCard(CardFacts):
    id: id_of("card")  # type: ignore[valid-type]
    created_at: Time
    updated_at: Time

"""The shapes of people: who somebody is, and what they log in with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.shapes import EMAIL_FORM, Phone, Shape, Time, id_of

# ASCII, so that the database and Python fold its letters alike, and nothing in it can end a header of a mail.
Email = Annotated[
    str,
    Field(
        max_length=254, pattern=EMAIL_FORM, description="In ASCII; upper and lower case are one address.",
        examples=["eleni@example.com"],
    ),
]  # fmt: skip
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\r\n]+$")]
Status = Literal["ACTIVE", "SUSPENDED", "DELETED"]
UserId = Annotated[str, Field(max_length=100, description="The user's id.")]


class Person(Shape):
    id: id_of("user")  # type: ignore[valid-type]
    email: str = Field(description="Where they log in with, in the letters they wrote it with.")
    first_name: str | None
    last_name: str | None
    phone: Phone | None
    status: Status
    email_verified_at: Time | None = Field(description="Null until the address was proven.")
    two_factor_enabled: bool
    roles: list[str] = Field(description="Names of roles.", examples=[["customer"]])
    permissions: list[str] = Field(
        description="What they may, of roles and of their own, without what is denied. `*`: all there will be, too."
    )
    created_at: Time
    updated_at: Time


class Tokens(Shape):
    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds that the access token is good for.", examples=[900])
    refresh_token: str | None = Field(
        description="For POST /auth/refresh, once; the answer has the next. Null with cookies: it is in one of them."
    )
    csrf_token: str | None = Field(description="With cookies: send it as X-CSRF-Token with all but GET.")
    user: Person

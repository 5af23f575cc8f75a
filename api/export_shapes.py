"""The shape of an export: everything about a person, by what it is."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.people_shapes import Person
from api.shapes import Shape

Rows = list[dict[str, Any]]


class Export(Shape):
    user: list[Person] = Field(description="One.")
    sessions: Rows
    verifications: Rows
    sign_ins: Rows
    addresses: Rows
    cards: Rows
    orders: Rows = Field(description="As GET /orders shows them.")
    payments: Rows
    carts: Rows
    sell_submissions: Rows
    events: Rows = Field(description="What was noted of visits after a log-in.")
    security_events: Rows
    values_in_history: Rows = Field(description="What the audit log and the security events say of the person.")

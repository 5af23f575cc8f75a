"""When a cart may still be changed or checked out. Pure: `now` is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.refusals import Refusal

CLOSED: Final = ("cart_not_active", "cart_expired")


def check_open(cart: Mapping[str, Any], now: str) -> None:
    """Refuse a cart (`status`, `expires_at`) that is no longer open. The same before and after a job has marked it."""
    if cart["status"] == "CHECKED_OUT":
        raise Refusal("cart_not_active")
    if cart["expires_at"] <= now:
        raise Refusal("cart_expired")
    if cart["status"] != "ACTIVE":
        raise Refusal("cart_not_active")

"""What may be held, and for whom."""

from typing import Any

import pytest

from domain.refusals import Refusal
from domain.reservations import check_cart, check_variant

NOW = "2026-11-21T08:00:00.000Z"
LATER = "2026-11-21T08:00:00.001Z"


def row(**more: Any) -> dict[str, Any]:
    return {"status": "ACTIVE", "policy": "TRACK", "stock": 3, **more}


@pytest.mark.parametrize(
    ("found", "quantity", "free", "code"),
    [
        (row(), 3, 0, None),
        (row(), 4, 1, None),
        (row(policy="CONTINUE"), 3, 0, None),
        (row(), 4, 0, "insufficient_stock"),
        (row(policy="CONTINUE"), 4, 0, "insufficient_stock"),
        (row(policy="DENY"), 9, 0, "variant_not_for_sale"),
        (row(status="DRAFT"), 1, 0, "variant_not_for_sale"),
        (row(status="ARCHIVED"), 1, 0, "variant_not_for_sale"),
        (None, 1, 0, "unknown_variant"),
    ],
)
def test_what_can_be_held(found: dict[str, Any] | None, quantity: int, free: int, code: str | None) -> None:
    if code is None:
        check_variant(found, "variant_1", quantity, free=free)
        return
    with pytest.raises(Refusal) as refused:
        check_variant(found, "variant_1", quantity, free=free)
    assert refused.value.code == code


def test_a_shortage_says_what_is_left() -> None:
    with pytest.raises(Refusal) as refused:
        check_variant(row(), "variant_1", 9, free=2)
    assert refused.value.facts == {"lines": [{"variant_id": "variant_1", "requested": 9, "available": 5}]}


@pytest.mark.parametrize(
    ("cart", "code"),
    [
        ({"status": "ACTIVE", "expires_at": LATER}, None),
        ({"status": "ACTIVE", "expires_at": NOW}, "cart_expired"),
        ({"status": "ABANDONED", "expires_at": LATER}, "cart_not_active"),
        ({"status": "ABANDONED", "expires_at": NOW}, "cart_expired"),
        ({"status": "CHECKED_OUT", "expires_at": NOW}, "cart_not_active"),
        (None, "missing_reference"),
    ],
)
def test_for_which_cart(cart: dict[str, Any] | None, code: str | None) -> None:
    if code is None:
        check_cart(cart, NOW)
        return
    with pytest.raises(Refusal) as refused:
        check_cart(cart, NOW)
    assert refused.value.code == code

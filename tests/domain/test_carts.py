"""When a cart may still be changed."""

import pytest

from domain.carts import check_open
from domain.refusals import Refusal

NOW = "2026-11-21T08:00:00.000Z"
BEFORE, AFTER = "2026-11-21T07:59:59.999Z", "2026-11-21T08:00:00.001Z"


@pytest.mark.parametrize(
    ("status", "expires_at", "code"),
    [
        ("ACTIVE", AFTER, None),
        ("ACTIVE", NOW, "cart_expired"),
        ("ACTIVE", BEFORE, "cart_expired"),
        ("ABANDONED", BEFORE, "cart_expired"),
        ("ABANDONED", AFTER, "cart_not_active"),
        ("CHECKED_OUT", AFTER, "cart_not_active"),
        ("CHECKED_OUT", BEFORE, "cart_not_active"),
    ],
)
def test_a_cart_is_open_until_it_is_not(status: str, expires_at: str, code: str | None) -> None:
    told = None
    try:
        check_open({"status": status, "expires_at": expires_at}, NOW)
    except Refusal as refusal:
        told = refusal.code
    assert told == code

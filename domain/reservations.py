"""What may be held, and for whom.

The order of refusals: unknown variant, not for sale, stock, cart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.carts import check_open
from domain.refusals import Refusal

REFUSES: Final = (
    "unknown_variant",
    "variant_not_for_sale",
    "insufficient_stock",
    "missing_reference",
    "cart_not_active",
    "cart_expired",
)


def check_variant(row: Mapping[str, Any] | None, variant_id: str, quantity: int, *, free: int) -> None:
    """Raises Refusal unless `quantity` pieces can be held of the variant whose stock and policy `row` tells.

    `free` pieces come back from holds whose time is over.
    """
    if row is None:
        raise Refusal("unknown_variant", variant_id=variant_id)
    if row["status"] != "ACTIVE" or row["policy"] == "DENY":
        raise Refusal("variant_not_for_sale", variant_id=variant_id)
    available = row["stock"] + free
    if available < quantity:
        lines = [{"variant_id": variant_id, "requested": quantity, "available": available}]
        raise Refusal("insufficient_stock", lines=lines)


def check_cart(row: Mapping[str, Any] | None, now: str) -> None:
    """Raises Refusal unless the cart that `row` tells of can still be checked out, in the words of its checkout."""
    if row is None:
        raise Refusal("missing_reference")
    check_open(row, now)

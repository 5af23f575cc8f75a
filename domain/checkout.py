"""What may be ordered, and for how much. Pure: no clock, no database, no HTTP.

The order of refusals: empty order, unknown variant, not for sale, mixed currency, coupon, stock, price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.refusals import Refusal

REFUSES: Final = (
    "empty_order",
    "unknown_variant",
    "variant_not_for_sale",
    "mixed_currency",
    "coupon_invalid",
    "insufficient_stock",
    "price_changed",
)
LINES_MAX: Final = 100
QUANTITY_MAX: Final = 10_000


class Line(NamedTuple):
    """A line as it is sold: `take` pieces from stock now, `backorder` later; amounts in minor units."""

    row: Mapping[str, Any]
    quantity: int
    take: int
    backorder: int
    total: int


class Sale(NamedTuple):
    """What is sold. total = subtotal − discount + tax + shipping, in minor units of `currency`."""

    lines: list[Line]
    currency: str
    subtotal: int
    discount: int
    tax: int
    shipping: int
    total: int


def order_items(sale: Sale, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The items of the order that `sale` becomes, as they are answered; titles and prices stay as they are now."""
    return [
        {
            "id": item_id,
            "product_id": line.row["product_id"],
            "variant_id": line.row["variant_id"],
            "producer_id": line.row["producer_id"],
            "title": line.row["title"],
            "variant_title": line.row["variant_title"],
            "status": "PENDING",
            "quantity": line.quantity,
            "backordered_quantity": line.backorder,
            "unit_price": line.row["price"],
            "total": line.total,
        }
        for item_id, line in zip(ids, sale.lines, strict=True)
    ]


def merged(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Pieces by variant: the same variant twice counts as one line."""
    wanted: dict[str, int] = {}
    for variant, quantity in lines:
        wanted[variant] = wanted.get(variant, 0) + quantity
    return wanted


def decide_sale(
    rows: Iterable[Mapping[str, Any]], free: Mapping[str, int], *, coupon_code: str | None, expected_total: int | None
) -> Sale:
    """The sale of `rows` (PRICED_LINES), `free` pieces by variant coming back from holds. Raises Refusal."""
    rows = list(rows)
    if not rows:
        raise Refusal("empty_order")
    check_lines(rows)
    if coupon_code is not None:
        raise Refusal("coupon_invalid", reason="unknown")
    lines: list[Line] = []
    short: list[dict[str, Any]] = []
    subtotal = 0
    for row in rows:
        quantity = row["quantity"]
        available = (row["stock"] or 0) + free.get(row["variant_id"], 0)
        take = min(quantity, available)
        if take < quantity and (row["policy"] != "CONTINUE" or row["stock"] is None):  # no row, no backlog
            short.append({"variant_id": row["variant_id"], "requested": quantity, "available": available})
        total = quantity * row["price"]
        subtotal += total
        lines.append(Line(row, quantity, take, quantity - take, total))
    if short:
        raise Refusal("insufficient_stock", lines=short)
    sale = Sale(lines, rows[0]["currency"], subtotal, discount=0, tax=0, shipping=0, total=subtotal)
    if expected_total is not None and expected_total != sale.total:
        raise Refusal("price_changed", total=sale.total)
    return sale


def check_lines(rows: Sequence[Mapping[str, Any]], beside: Iterable[Mapping[str, Any]] = ()) -> None:
    """Refuse `rows` (PRICED_LINES) that cannot be sold together, or not with the lines that stand `beside` them."""
    unknown = [row["variant_id"] for row in rows if row["price"] is None]
    if unknown:
        raise Refusal("unknown_variant", variant_id=unknown[0], lines=[{"variant_id": one} for one in unknown])
    hidden = [row["variant_id"] for row in rows if row["status"] != "ACTIVE" or row["policy"] == "DENY"]
    if hidden:
        raise Refusal("variant_not_for_sale", variant_id=hidden[0], lines=[{"variant_id": one} for one in hidden])
    currencies = {row["currency"] for row in (*rows, *beside) if row["currency"] is not None}
    if len(currencies) > 1:
        raise Refusal("mixed_currency", currencies=sorted(currencies))

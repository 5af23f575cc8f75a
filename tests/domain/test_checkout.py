"""What may be ordered, for how much, and which of several reasons against it is told."""

from typing import Any

import pytest

from domain.checkout import check_lines, decide_sale, merged, order_items
from domain.refusals import Refusal


def row(variant: str = "a", **more: Any) -> dict[str, Any]:
    """A row of PRICED_LINES that can be sold."""
    return {
        "variant_id": variant, "quantity": 2, "price": 100, "stock": 5, "status": "ACTIVE", "policy": "TRACK",
        "currency": "EUR", "product_id": "p", "producer_id": None, "title": "T", "variant_title": "V", **more,
    }  # fmt: skip


def refusal(rows: list[dict[str, Any]], free: dict[str, int] | None = None, **more: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Refusal) as told:
        decide_sale(rows, free or {}, **{"coupon_code": None, "expected_total": None, **more})
    return told.value.code, told.value.facts


GONE = {"price": None, "status": None, "policy": None, "currency": None, "stock": None}
ORDER = [
    ([], "empty_order"),
    ([row(), row("b", **GONE), row("c", status="DRAFT")], "unknown_variant"),
    ([row(), row("b", policy="DENY"), row("c", currency="USD")], "variant_not_for_sale"),
    ([row(stock=0), row("c", currency="USD")], "mixed_currency"),
    ([row(stock=0)], "coupon_invalid"),
]


@pytest.mark.parametrize(("rows", "code"), ORDER, ids=[code for _, code in ORDER])
def test_the_first_reason_is_told(rows: list[dict[str, Any]], code: str) -> None:
    assert refusal(rows, coupon_code="X", expected_total=1)[0] == code


def test_stock_is_told_before_the_price() -> None:
    assert refusal([row(quantity=6)], expected_total=1)[0] == "insufficient_stock"
    assert refusal([row()], expected_total=1) == ("price_changed", {"total": 200})


SALES = [
    ({}, {}, (2, 0)),
    ({"quantity": 5}, {}, (5, 0)),
    ({"quantity": 7}, {"a": 2}, (7, 0)),
    ({"quantity": 7, "policy": "CONTINUE"}, {}, (5, 2)),
    ({"quantity": 7, "policy": "CONTINUE"}, {"a": 1}, (6, 1)),
    ({"quantity": 7, "policy": "CONTINUE", "stock": 0}, {}, (0, 7)),
]


@pytest.mark.parametrize(("more", "free", "taken"), SALES)
def test_takes_what_there_is(more: dict[str, Any], free: dict[str, int], taken: tuple[int, int]) -> None:
    sale = decide_sale([row(**more)], free, coupon_code=None, expected_total=None)
    [line] = sale.lines
    assert (line.take, line.backorder) == taken
    assert sale.total == sale.subtotal == line.total == line.quantity * 100


@pytest.mark.parametrize("policy", ["TRACK", "CONTINUE"])
def test_what_is_not_counted_is_not_sold(policy: str) -> None:
    lines = [{"variant_id": "a", "requested": 2, "available": 0}]
    assert refusal([row(stock=None, policy=policy)]) == ("insufficient_stock", {"lines": lines})


def test_lines_beside_count_for_the_currency_alone() -> None:
    check_lines([row()], beside=[{"currency": "EUR"}, {"currency": None}])
    with pytest.raises(Refusal) as told:
        check_lines([row()], beside=[{"currency": "USD"}])
    assert (told.value.code, told.value.facts) == ("mixed_currency", {"currencies": ["EUR", "USD"]})


def test_merges_lines_in_their_order() -> None:
    assert list(merged([("b", 1), ("a", 2), ("b", 3)]).items()) == [("b", 4), ("a", 2)]


def test_items_keep_what_was_sold() -> None:
    sale = decide_sale([row(), row("b", price=7)], {}, coupon_code=None, expected_total=214)
    items = order_items(sale, ["item_1", "item_2"])
    assert [(item["id"], item["variant_id"], item["total"]) for item in items] == [
        ("item_1", "a", 200),
        ("item_2", "b", 14),
    ]

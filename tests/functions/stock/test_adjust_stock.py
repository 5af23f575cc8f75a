"""POST /stock/adjustments."""

import json
from typing import Any

import pytest

from domain.backorders import fills
from functions.stock import adjust_stock
from tests.functions.stock.support import adjust, held, low_events, moves_of, reserve, stock_of, three_orders_owed
from tests.shop import LOCATION, Shop


def test_changes_the_stock_and_answers_its_move(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    reply = adjust(shop, variant, 5, "return", more={"note": "came back unopened"})
    assert reply.status == 201
    key = shop.one("SELECT id FROM api_keys")
    assert reply.body == {
        "id": reply.body["id"],
        "variant_id": variant,
        "order_id": None,
        "delta": 5,
        "reason": "return",
        "balance_after": 15,
        "actor": key,
        "note": "came back unopened",
        "created_at": reply.body["created_at"],
    }
    assert reply.headers["location"] == f"/stock/moves?variant={variant}"
    assert "etag" not in reply.headers
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert adjust(shop, variant, -15).body["balance_after"] == 0
    assert moves_of(shop, variant) == [("return", 5, 15), ("adjustment", -15, 0)]
    assert stock_of(shop, variant)["available"] == 0
    shop.checked()


def test_releases_expired_holds_first(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    first = held(shop, variant, 2, expires_in=10)
    second = held(shop, variant, 3, expires_in=20)
    shop.clock(30)
    reply = adjust(shop, variant, -5)
    assert (reply.status, reply.body["balance_after"]) == (201, 0)
    assert moves_of(shop, variant)[2:] == [("release", 2, 2), ("release", 3, 5), ("adjustment", -5, 0)]
    assert dict(shop.rows("SELECT id, status FROM reservations")) == {first["id"]: "EXPIRED", second["id"]: "EXPIRED"}
    shop.checked()


def test_gives_the_same_answer_to_the_same_key(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    first = adjust(shop, variant, 3, idempotency_key="count-1")
    with shop.unchanged():
        again = adjust(shop, variant, 3, idempotency_key="count-1")
    assert (again.status, again.text, again.headers["idempotency-replayed"]) == (201, first.text, "true")
    assert again.headers["location"] == first.headers["location"]
    assert stock_of(shop, variant)["available"] == 13


def test_a_receipt_pays_what_is_owed_oldest_first(shop: Shop) -> None:
    variant = shop.variant(stock=1, policy="CONTINUE")
    orders = three_orders_owed(shop, variant)  # owed 2, 2 and 4
    reply = adjust(shop, variant, 5, "receipt")
    assert (reply.status, reply.body["balance_after"]) == (201, 5)
    owed = shop.rows("SELECT order_id, backordered_quantity FROM order_items ORDER BY id")
    assert owed == [(orders[0]["id"], 0), (orders[1]["id"], 0), (orders[2]["id"], 3)]
    filled = shop.rows(
        "SELECT order_id, delta, reason, balance_after FROM stock_moves WHERE variant_id = ? ORDER BY rowid", variant
    )
    assert filled[-4:] == [
        (None, 5, "receipt", 5),
        (orders[0]["id"], -2, "sale", 3),
        (orders[1]["id"], -2, "sale", 1),
        (orders[2]["id"], -1, "sale", 0),
    ]
    assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(0, 3)]
    shop.checked()
    assert adjust(shop, variant, 10, "receipt").status == 201
    assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(7, 0)]
    assert shop.one("SELECT sum(-delta) FROM stock_moves WHERE reason = 'sale' AND variant_id = ?", variant) == 9
    shop.checked()


@pytest.mark.parametrize("reason", ["adjustment", "return"])
def test_only_a_receipt_pays_what_is_owed(shop: Shop, reason: str) -> None:
    variant = shop.variant(stock=1, policy="CONTINUE")
    three_orders_owed(shop, variant)
    assert adjust(shop, variant, 5, reason).status == 201
    assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(5, 8)]
    shop.checked()


def test_nothing_is_owed_to_a_cancelled_order(shop: Shop) -> None:
    variant = shop.variant(stock=1, policy="CONTINUE")
    orders = three_orders_owed(shop, variant)
    cancelled = shop.post(f"/orders/{orders[0]['id']}/cancel", api_key=shop.admin, if_match=1)
    assert cancelled.status == 200
    assert adjust(shop, variant, 3, "receipt").status == 201
    assert shop.rows("SELECT order_id, -delta FROM stock_moves WHERE reason = 'sale' AND note IS NOT NULL") == [
        (orders[1]["id"], 2),
        (orders[2]["id"], 2),
    ]
    shop.checked()


def test_runs_again_when_somebody_owes_more_meanwhile(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the read and the batch another order is placed: the receipt pays it too."""
    variant = shop.variant(stock=0, policy="CONTINUE")
    shop.order({variant: 2})
    waiting = [3]

    def slow(owed: Any, available: int) -> Any:
        if waiting:
            now = shop.now
            item = shop.rows("SELECT * FROM order_items")[0]
            shop.execute(
                "INSERT INTO order_items SELECT ?, order_id, product_id, variant_id, producer_id, title, variant_title,"
                " variant, status, 3, 3, currency, unit_price, 3 * unit_price, ?, ? FROM order_items WHERE id = ?",
                shop.ids("item")[0], now, now, item[0],
            )  # fmt: skip
            shop.execute("UPDATE inventory SET backordered = backordered + ?", waiting.pop())
        return fills(owed, available)

    monkeypatch.setattr(adjust_stock, "fills", slow)
    reply = adjust(shop, variant, 10, "receipt")
    assert reply.status == 201
    assert reply.headers["server-timing"].endswith('desc="4"')
    assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(5, 0)]


def test_says_once_that_stock_became_low(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    adjust(shop, variant, -4)
    assert low_events(shop, variant) == []
    adjust(shop, variant, -1)
    assert [json.loads(payload) for payload in low_events(shop, variant)] == [
        {"variant_id": variant, "available": 5, "low_stock_threshold": 5}
    ]
    adjust(shop, variant, -1)
    adjust(shop, variant, 1)
    assert len(low_events(shop, variant)) == 1
    adjust(shop, variant, 5)
    adjust(shop, variant, -6)
    assert len(low_events(shop, variant)) == 2


def test_an_expired_hold_was_available_before(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    held(shop, variant, 6, expires_in=10)
    assert len(low_events(shop, variant)) == 1
    shop.clock(11)
    adjust(shop, variant, -1)
    assert len(low_events(shop, variant)) == 1, "10 were available, 9 are: nothing became low"
    adjust(shop, variant, -4)
    assert len(low_events(shop, variant)) == 2


def test_refuses_insufficient_stock(shop: Shop) -> None:
    variant = shop.variant(stock=3)
    held(shop, variant, 1)
    with shop.unchanged():
        reply = adjust(shop, variant, -3)
    assert (reply.status, reply.body["code"]) == (409, "insufficient_stock")
    assert reply.body["lines"] == [{"variant_id": variant, "requested": 3, "available": 2}]


def test_refuses_insufficient_stock_of_expired_holds_too_without_ending_them(shop: Shop) -> None:
    variant = shop.variant(stock=3)
    held(shop, variant, 1, expires_in=1)
    shop.clock(2)
    with shop.unchanged():
        reply = adjust(shop, variant, -4)
    assert reply.body["lines"] == [{"variant_id": variant, "requested": 4, "available": 3}]


def test_refuses_unknown_variant(shop: Shop) -> None:
    variant = shop.ids("variant")[0]
    with shop.unchanged():
        reply = adjust(shop, variant, 1)
    assert (reply.status, reply.body["code"], reply.body["variant_id"]) == (422, "unknown_variant", variant)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"delta": 0}, "/delta"),
        ({"delta": 1_000_001}, "/delta"),
        ({"delta": -1_000_001}, "/delta"),
        ({"delta": 1.0}, "/delta"),
        ({"delta": "1"}, "/delta"),
        ({"reason": "sale"}, "/reason"),
        ({"note": "x" * 2_001}, "/note"),
        ({"variant_id": "nonsense"}, "/variant_id"),
        ({"stock": 5}, "/stock"),
    ],
)
def test_refuses_what_is_not_an_adjustment(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    variant = shop.variant()
    with shop.unchanged():
        reply = shop.post(
            "/stock/adjustments",
            {"variant_id": variant, "delta": 1, "reason": "adjustment", **body},
            api_key=shop.admin,
        )
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, [pointer])


def test_takes_the_largest_changes(shop: Shop) -> None:
    variant = shop.variant(stock=0)
    assert adjust(shop, variant, 1_000_000).status == 201
    assert adjust(shop, variant, -1_000_000).status == 201
    shop.checked()


def test_refuses_more_than_the_books_can_hold(shop: Shop) -> None:
    variant = shop.variant(stock=999_999_999_999)
    with shop.unchanged():
        reply = adjust(shop, variant, 2)
    assert (reply.status, reply.body["code"]) == (422, "invalid")


def test_refuses_without_the_permission(shop: Shop) -> None:
    variant = shop.variant()
    with shop.unchanged():
        assert adjust(shop, variant, 1, api_key=None).status == 401
    reader = shop.api_key("stock:read")
    with shop.unchanged():
        assert adjust(shop, variant, 1, api_key=reader).status == 403
    assert adjust(shop, variant, 1, api_key=shop.api_key("stock:adjust")).status == 201


def test_holds_and_adjustments_stay_in_one_location(shop: Shop) -> None:
    variant = shop.variant(stock=4)
    assert reserve(shop, variant, 4).status == 201
    assert shop.rows("SELECT DISTINCT location_id FROM stock_moves") == [(LOCATION,)]

"""The job that cancels the orders whose time to be paid is over."""

import json
from typing import Any

import pytest

from domain.orders import given_back
from functions.jobs import expire_unpaid_orders as module
from tests.functions.jobs.support import run
from tests.functions.orders.support import step
from tests.functions.stock.support import moves_of
from tests.shop import Shop

DAY = 86_400


def test_cancels_unpaid_orders_and_gives_their_stock_back(shop: Shop) -> None:
    variant, other = shop.variant(stock=10), shop.variant(stock=1, policy="CONTINUE")
    old = shop.order({variant: 2, other: 3})
    paid = shop.order({variant: 1})
    assert step(shop, paid, "pay").status == 201
    shop.clock(DAY)
    new = shop.order({variant: 1})
    assert run("expire_unpaid_orders") == {
        "job": "expire_unpaid_orders", "cancelled": 1, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert dict(shop.rows("SELECT id, status FROM orders")) == {
        old["id"]: "CANCELLED", paid["id"]: "PAID", new["id"]: "PENDING",
    }  # fmt: skip
    assert moves_of(shop, variant)[-1] == ("return", 2, 8)
    assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", other) == [(1, 0)]
    assert shop.rows("SELECT from_status, to_status, actor FROM order_events WHERE to_status = 'CANCELLED'") == [
        ("PENDING", "CANCELLED", "job:expire_unpaid_orders")
    ]
    payload = shop.one("SELECT payload FROM outbox WHERE topic = 'order.cancelled'")
    assert json.loads(payload) == {"order_id": old["id"]}
    seen = shop.get(f"/orders/{old['id']}", api_key=shop.admin).body
    assert (seen["status"], seen["version"], {item["status"] for item in seen["items"]}) == (
        "CANCELLED", 2, {"CANCELLED"},
    )  # fmt: skip
    shop.checked()
    with shop.unchanged():
        assert run("expire_unpaid_orders")["cancelled"] == 0


def test_does_what_the_staffs_cancellation_does(shop: Shop) -> None:
    variant = shop.variant(stock=1, policy="CONTINUE")
    by_staff, by_job = shop.order({variant: 2}), shop.order({variant: 3})
    assert step(shop, by_staff, "cancel").status == 200
    shop.clock(DAY)
    run("expire_unpaid_orders")
    rows = [
        shop.rows(
            "SELECT o.status, o.version, i.status, i.backordered_quantity, e.to_status, x.topic FROM orders o "
            "JOIN order_items i ON i.order_id = o.id JOIN order_events e ON e.order_id = o.id "
            "JOIN outbox x ON x.entity_id = o.id WHERE o.id = ? ORDER BY e.id, x.id",
            order["id"],
        )
        for order in (by_staff, by_job)
    ]
    assert rows[0] == rows[1]
    assert shop.rows("SELECT stock, backordered FROM inventory") == [(1, 0)]
    shop.checked()


def test_an_order_without_a_limit_waits(shop: Shop) -> None:
    shop.order({shop.variant(): 1})
    shop.execute("UPDATE orders SET expires_at = NULL")
    shop.clock(400 * DAY)
    with shop.unchanged():
        assert run("expire_unpaid_orders")["cancelled"] == 0


def test_an_order_paid_in_part_waits_for_somebody_to_decide(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    payment = {"provider": "manual", "amount": 400}
    paid = shop.post(f"/orders/{order['id']}/payments", payment, api_key=shop.admin, idempotency_key="part")
    assert paid.status == 201
    shop.clock(2 * DAY)
    with shop.unchanged():
        assert run("expire_unpaid_orders")["cancelled"] == 0


def test_works_in_bounded_rounds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ORDERS_MAX", 2)
    variant = shop.variant(stock=10)
    for _ in range(5):
        shop.order({variant: 1})
    shop.clock(DAY)
    answer = run("expire_unpaid_orders")
    assert (answer["cancelled"], answer["rounds"], answer["finished"]) == (5, 4, True)
    assert shop.one("SELECT stock FROM inventory") == 10
    shop.checked()


def pay(shop: Shop, order: Any) -> None:
    """What POST /orders/{order}/payments writes, on another connection."""
    order_id, now = order["id"], shop.now
    shop.insert(
        "payments", id=shop.ids("payment")[0], order_id=order_id, provider="MANUAL", status="SETTLED",
        amount=order["total"], currency="EUR", settled_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    shop.execute("UPDATE orders SET status = 'PAID', paid_at = ?, version = 2 WHERE id = ?", now, order_id)
    shop.execute("UPDATE order_items SET status = 'PAID' WHERE order_id = ?", order_id)
    shop.insert(
        "order_events", id=shop.ids("event")[0], order_id=order_id, from_status="PENDING", to_status="PAID",
        actor="test", created_at=now,
    )  # fmt: skip
    shop.insert(
        "outbox", id=shop.ids("outbox")[0], topic="order.paid", entity="order", entity_id=order_id, payload="{}",
        due_at=now, created_at=now, updated_at=now,
    )  # fmt: skip


def test_an_order_that_is_paid_meanwhile_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(stock=10)
    orders = [shop.order({variant: 1}) for _ in range(3)]
    shop.clock(DAY)
    waiting = [orders[1]]

    def slow(items: Any, move_ids: Any) -> Any:
        if waiting:
            pay(shop, waiting.pop())
        return given_back(items, move_ids)

    monkeypatch.setattr(module, "given_back", slow)
    answer = run("expire_unpaid_orders")
    assert (answer["cancelled"], answer["failed"]) == (2, 0)
    assert [shop.one("SELECT status FROM orders WHERE id = ?", order["id"]) for order in orders] == [
        "CANCELLED", "PAID", "CANCELLED",
    ]  # fmt: skip
    shop.checked()


def test_an_order_that_is_paid_in_part_meanwhile_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part payment leaves the version as it is: only the guard on payments sees it."""
    order = shop.order({shop.variant(price=1000): 1})
    shop.clock(DAY)

    def slow(items: Any, move_ids: Any) -> Any:
        shop.insert(
            "payments", id=shop.ids("payment")[0], order_id=order["id"], provider="MANUAL", status="SETTLED",
            amount=400, currency="EUR", settled_at=shop.now, created_at=shop.now, updated_at=shop.now,
        )  # fmt: skip
        return given_back(items, move_ids)

    monkeypatch.setattr(module, "given_back", slow)
    assert run("expire_unpaid_orders")["cancelled"] == 0
    assert shop.one("SELECT status FROM orders WHERE id = ?", order["id"]) == "PENDING"
    shop.checked()


def test_an_order_that_breaks_a_rule_stops_no_other(shop: Shop) -> None:
    variant, broken = shop.variant(stock=10), shop.variant(stock=0, policy="CONTINUE")
    orders = [shop.order({one: 1}) for one in (variant, broken, variant)]
    shop.execute("UPDATE inventory SET backordered = 0 WHERE variant_id = ?", broken)  # the books are wrong here
    shop.clock(DAY)
    answer = run("expire_unpaid_orders")
    assert (answer["cancelled"], answer["failed"], answer["finished"]) == (2, 1, True)
    assert shop.one("SELECT status FROM orders WHERE id = ?", orders[1]["id"]) == "PENDING"

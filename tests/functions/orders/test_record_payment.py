"""POST /orders/{order}/payments."""

from typing import Any

import pytest

from domain.orders import due_after
from tests.functions.orders.support import brought, step, view
from tests.shop import Reply, Shop


def pay(shop: Shop, order: Any, amount: int, key: str | None = "k", **more: Any) -> Reply:
    """A manual payment; `more` are members of the body, or `if_match` and `api_key`."""
    sent: dict[str, Any] = {"api_key": shop.admin, "idempotency_key": key}
    sent |= {name: more.pop(name) for name in ("api_key", "if_match") if name in more}
    return shop.post(f"/orders/{order['id']}/payments", {"provider": "manual", "amount": amount, **more}, **sent)


def test_pays_all_and_the_order_is_paid(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1299): 2})
    reply = pay(shop, order, 2598, transaction_id="till-17", note="cash", if_match=1)
    assert reply.status == 201
    assert (reply.headers["etag"], reply.headers["location"]) == ('"2"', f"/orders/{order['id']}")
    assert reply.headers["server-timing"].endswith('desc="2"')
    payment = reply.body
    assert payment["id"].startswith("payment_")
    assert {**payment, "id": None, "created_at": None} == {
        "id": None, "order_id": order["id"], "provider": "manual", "status": "SETTLED", "amount": 2598,
        "currency": "EUR", "transaction_id": "till-17", "created_at": None, "order_status": "PAID",
    }  # fmt: skip
    after = view(shop, order["id"])
    assert (after["status"], after["version"], after["paid_at"]) == ("PAID", 2, payment["created_at"])
    assert [item["status"] for item in after["items"]] == ["PAID"]
    actor = shop.one("SELECT id FROM api_keys")
    row = shop.rows("SELECT id, provider, status, amount, paid_price, settled_at, raw_payload FROM payments")
    raw = f'{{"recorded_by":"{actor}","note":"cash"}}'
    assert row == [(payment["id"], "MANUAL", "SETTLED", 2598, 2598, payment["created_at"], raw)]
    events = shop.rows("SELECT from_status, to_status, actor FROM order_events ORDER BY rowid")
    assert events[1:] == [("PENDING", "PAID", actor)]
    assert shop.rows("SELECT topic FROM outbox WHERE entity_id = ? ORDER BY rowid", order["id"]) == [
        ("order.placed",), ("order.paid",),
    ]  # fmt: skip
    shop.checked()


def test_part_payments_add_up(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    for amount, status, version in ((300, "PENDING", 1), (699, "PENDING", 1), (1, "PAID", 2)):
        reply = pay(shop, order, amount, f"part-{amount}")
        assert (reply.status, reply.body["order_status"]) == (201, status)
        assert reply.headers["etag"] == f'"{version}"'
        assert view(shop, order["id"])["status"] == status
        shop.checked()
    assert shop.one("SELECT count(*) FROM order_events WHERE to_status = 'PAID'") == 1


def test_an_order_of_nothing_is_paid_by_nothing(shop: Shop) -> None:
    order = shop.order({shop.variant(price=0): 1})
    assert order["total"] == 0
    reply = pay(shop, order, 0)
    assert (reply.status, reply.body["id"], reply.body["order_status"]) == (200, None, "PAID")
    assert "location" not in reply.headers
    assert view(shop, order["id"])["status"] == "PAID"
    assert shop.one("SELECT count(*) FROM payments") == 0
    shop.checked()
    with shop.unchanged():
        assert pay(shop, order, 0, "another").body["code"] == "illegal_transition"
        assert pay(shop, order, 0).headers["idempotency-replayed"] == "true"


def test_the_same_key_pays_once(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    first = pay(shop, order, 400)
    with shop.unchanged():
        again = pay(shop, order, 400)
        other = pay(shop, order, 500)
    assert (again.status, again.text, again.headers["etag"]) == (201, first.text, first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")
    assert shop.one("SELECT sum(amount) FROM payments") == 400


def test_a_large_total_is_paid_in_one_piece(shop: Shop) -> None:
    order = shop.order({shop.variant(price=10**9, stock=10_000): 10_000})
    assert pay(shop, order, 10**13).body["order_status"] == "PAID"


def test_pays_by_reference(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    reply = pay(shop, {"id": order["reference"].replace("-", "").lower()}, 1000)
    assert (reply.status, reply.body["order_id"]) == (201, order["id"])


def test_refuses_payment_exceeds_due(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    free = shop.order({shop.variant(price=0): 1})
    pay(shop, order, 300, "first")
    with shop.unchanged():
        replies = [pay(shop, order, 701), pay(shop, order, 2**53 - 1), pay(shop, free, 1)]
    assert [(reply.status, reply.body["code"]) for reply in replies] == [(409, "payment_exceeds_due")] * 3
    assert [reply.body["due"] for reply in replies] == [700, 700, 0]


@pytest.mark.parametrize("status", ["PAID", "FULFILLED", "SHIPPED", "DELIVERED", "CANCELLED"])
def test_refuses_illegal_transition(shop: Shop, status: str) -> None:
    order = brought(shop, status)
    with shop.unchanged():
        reply = pay(shop, order, 1)
    assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
    assert (reply.body["from"], reply.body["to"]) == (status, "PAID")


def test_refuses_already_exists(shop: Shop) -> None:
    first, second = shop.order({shop.variant(): 1}), shop.order({shop.variant(): 1})
    assert pay(shop, first, 10, "a", transaction_id="bank-1").status == 201
    with shop.unchanged():
        reply = pay(shop, second, 10, "b", transaction_id="bank-1")
    assert (reply.status, reply.body["code"]) == (409, "already_exists")
    assert reply.body["errors"][0]["pointer"] == "/transaction_id"


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        reply = pay(shop, {"id": "order_01kaktq2m8e8q8k3v9m1c4x7zd"}, 1)
    assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_idempotency_key_required(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = pay(shop, order, 1, None)
    assert (reply.status, reply.body["code"]) == (400, "idempotency_key_required")


def test_refuses_stale_version(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = pay(shop, order, 1, if_match=2)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_forbidden(shop: Shop) -> None:
    order, weak = shop.order({shop.variant(): 1}), shop.api_key("orders:fulfil", "orders:cancel", "orders:read")
    with shop.unchanged():
        reply, nobody = pay(shop, order, 1, api_key=weak), pay(shop, order, 1, api_key=None)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")
    assert (nobody.status, nobody.body["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount": 0}, "/amount"), ({"amount": -1}, "/amount"), ({"amount": 1.0}, "/amount"),
        ({"amount": "1"}, "/amount"), ({"amount": True}, "/amount"), ({"amount": 2**53}, "/amount"),
        ({"amount": None}, "/amount"), ({"provider": "stripe"}, "/provider"), ({"currency": "EUR"}, "/currency"),
        ({"status": "SETTLED"}, "/status"), ({"transaction_id": ""}, "/transaction_id"),
        ({"note": "x" * 2001}, "/note"),
    ],
)  # fmt: skip
def test_refuses_invalid(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    order = shop.order({shop.variant(): 1})
    sent = {"provider": "manual", "amount": 1, **body}
    with shop.unchanged():
        reply = shop.post(f"/orders/{order['id']}/payments", sent, api_key=shop.admin, idempotency_key="k")
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == pointer


def test_a_payment_between_reading_and_writing_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    seen: list[int] = []

    def slow(total: int, settled: int, amount: int) -> int:
        seen.append(settled)
        if len(seen) == 1:
            shop.insert(
                "payments", id=shop.ids("payment")[0], order_id=order["id"], provider="MANUAL", status="SETTLED",
                amount=600, currency="EUR", settled_at=shop.now, created_at=shop.now, updated_at=shop.now,
            )  # fmt: skip
        return due_after(total, settled, amount)

    monkeypatch.setattr("functions.orders.record_payment.due_after", slow)
    reply = pay(shop, order, 500)
    assert (reply.status, reply.body["code"], reply.body["due"]) == (409, "payment_exceeds_due", 400)
    assert seen == [0, 600]
    shop.checked()


def test_what_was_paid_in_part_stays_when_the_order_is_cancelled(shop: Shop) -> None:
    order = shop.order({shop.variant(price=1000): 1})
    pay(shop, order, 300)
    assert step(shop, order, "cancel").status == 200
    assert shop.rows("SELECT status, amount FROM payments") == [("SETTLED", 300)]
    shop.checked()

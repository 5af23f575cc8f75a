"""POST /orders/{order}/fulfil. Every pair of statuses stands in test_transitions.py."""

from tests.functions.orders.support import brought, step, view
from tests.shop import Shop


def test_moves_the_order_and_its_items_with_event_and_message(shop: Shop) -> None:
    before = brought(shop, "PAID", {shop.variant(): 1, shop.variant(): 2})
    key = shop.api_key("orders:fulfil")
    reply = shop.post(f"/orders/{before['reference']}/fulfil", api_key=key, if_match=before["version"])
    assert (reply.status, reply.headers["etag"]) == (200, f'"{before["version"] + 1}"')
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert reply.body == view(shop, before["id"])
    assert reply.body["status"] == "FULFILLED"
    assert [item["status"] for item in reply.body["items"]] == ["FULFILLED", "FULFILLED"]
    actor = shop.one("SELECT id FROM api_keys WHERE scopes = '[\"orders:fulfil\"]'")
    event = shop.rows("SELECT from_status, to_status, actor FROM order_events ORDER BY rowid DESC LIMIT 1")
    assert event == [("PAID", "FULFILLED", actor)]
    message = shop.rows("SELECT topic, entity, entity_id, payload FROM outbox ORDER BY rowid DESC LIMIT 1")
    assert message == [("order.fulfilled", "order", before["id"], f'{{"order_id":"{before["id"]}"}}')]
    shop.checked()


def test_the_same_key_is_answered_the_same(shop: Shop) -> None:
    order = brought(shop, "PAID")
    first = step(shop, order, "fulfil", idempotency_key="once")
    with shop.unchanged():
        again = step(shop, order, "fulfil", idempotency_key="once")
    assert (again.status, again.text) == (200, first.text)
    assert again.headers["idempotency-replayed"] == "true"


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        reply = step(shop, {"id": "order_01kaktq2m8e8q8k3v9m1c4x7zd", "version": 1}, "fulfil")
    assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_forbidden(shop: Shop) -> None:
    order = brought(shop, "PAID")
    weak = shop.api_key("orders:read", "orders:cancel", "payments:create")
    with shop.unchanged():
        reply, nobody = step(shop, order, "fulfil", api_key=weak), step(shop, order, "fulfil", api_key=None)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")
    assert (nobody.status, nobody.body["code"]) == (401, "unauthenticated")


def test_refuses_precondition_required(shop: Shop) -> None:
    order = brought(shop, "PAID")
    with shop.unchanged():
        reply = step(shop, order, "fulfil", if_match=None)
    assert (reply.status, reply.body["code"]) == (428, "precondition_required")


def test_refuses_stale_version(shop: Shop) -> None:
    order = brought(shop, "PAID")
    with shop.unchanged():
        reply = step(shop, order, "fulfil", if_match=order["version"] - 1)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_illegal_transition(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = step(shop, order, "fulfil")
    assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
    assert (reply.body["from"], reply.body["to"]) == ("PENDING", "FULFILLED")


def test_refuses_invalid(shop: Shop) -> None:
    order = brought(shop, "PAID")
    with shop.unchanged():
        reply = shop.post(
            f"/orders/{order['id']}/fulfil", {"status": "FULFILLED"}, api_key=shop.admin, if_match=order["version"]
        )
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/status")


def test_refuses_insufficient_stock(shop: Shop) -> None:
    """What was sold before it arrived cannot be packed: each such line is named."""
    late, there = shop.variant(stock=1, policy="CONTINUE"), shop.variant(stock=9)
    order = brought(shop, "PAID", {late: 3, there: 2})
    with shop.unchanged():
        reply = step(shop, order, "fulfil")
    assert (reply.status, reply.body["code"]) == (409, "insufficient_stock")
    assert reply.body["lines"] == [{"variant_id": late, "requested": 3, "available": 1}]


def test_is_packed_once_the_receipt_has_come(shop: Shop) -> None:
    late = shop.variant(stock=1, policy="CONTINUE")
    order = brought(shop, "PAID", {late: 3})
    assert step(shop, order, "fulfil").status == 409
    sent = {"variant_id": late, "delta": 5, "reason": "receipt"}
    assert shop.post("/stock/adjustments", sent, api_key=shop.admin).status == 201
    assert view(shop, order["id"])["items"][0]["backordered_quantity"] == 0
    assert step(shop, view(shop, order["id"]), "fulfil").status == 200
    assert shop.one("SELECT stock FROM inventory") == 3
    shop.checked()

"""POST /orders/{order}/ship. Every pair of statuses stands in test_transitions.py."""

from tests.functions.orders.support import brought, step, view
from tests.shop import Shop


def test_moves_the_order_and_its_items_with_event_and_message(shop: Shop) -> None:
    before = brought(shop, "FULFILLED", {shop.variant(): 1, shop.variant(): 2})
    key = shop.api_key("orders:fulfil")
    reply = shop.post(f"/orders/{before['reference']}/ship", api_key=key, if_match=before["version"])
    assert (reply.status, reply.headers["etag"]) == (200, f'"{before["version"] + 1}"')
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert reply.body == view(shop, before["id"])
    assert reply.body["status"] == "SHIPPED"
    assert [item["status"] for item in reply.body["items"]] == ["SHIPPED", "SHIPPED"]
    actor = shop.one("SELECT id FROM api_keys WHERE scopes = '[\"orders:fulfil\"]'")
    event = shop.rows("SELECT from_status, to_status, actor FROM order_events ORDER BY rowid DESC LIMIT 1")
    assert event == [("FULFILLED", "SHIPPED", actor)]
    message = shop.rows("SELECT topic, entity, entity_id, payload FROM outbox ORDER BY rowid DESC LIMIT 1")
    assert message == [("order.shipped", "order", before["id"], f'{{"order_id":"{before["id"]}"}}')]
    shop.checked()


def test_the_same_key_is_answered_the_same(shop: Shop) -> None:
    order = brought(shop, "FULFILLED")
    first = step(shop, order, "ship", idempotency_key="once")
    with shop.unchanged():
        again = step(shop, order, "ship", idempotency_key="once")
    assert (again.status, again.text) == (200, first.text)
    assert again.headers["idempotency-replayed"] == "true"


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        reply = step(shop, {"id": "order_01kaktq2m8e8q8k3v9m1c4x7zd", "version": 1}, "ship")
    assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_forbidden(shop: Shop) -> None:
    order = brought(shop, "FULFILLED")
    weak = shop.api_key("orders:read", "orders:cancel", "payments:create")
    with shop.unchanged():
        reply, nobody = step(shop, order, "ship", api_key=weak), step(shop, order, "ship", api_key=None)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")
    assert (nobody.status, nobody.body["code"]) == (401, "unauthenticated")


def test_refuses_precondition_required(shop: Shop) -> None:
    order = brought(shop, "FULFILLED")
    with shop.unchanged():
        reply = step(shop, order, "ship", if_match=None)
    assert (reply.status, reply.body["code"]) == (428, "precondition_required")


def test_refuses_stale_version(shop: Shop) -> None:
    order = brought(shop, "FULFILLED")
    with shop.unchanged():
        reply = step(shop, order, "ship", if_match=order["version"] - 1)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_illegal_transition(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = step(shop, order, "ship")
    assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
    assert (reply.body["from"], reply.body["to"]) == ("PENDING", "SHIPPED")


def test_refuses_invalid(shop: Shop) -> None:
    order = brought(shop, "FULFILLED")
    with shop.unchanged():
        reply = shop.post(
            f"/orders/{order['id']}/ship", {"status": "SHIPPED"}, api_key=shop.admin, if_match=order["version"]
        )
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/status")

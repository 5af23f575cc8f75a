"""GET /orders/{order}."""

import json

import pytest

from tests.functions.orders.support import PHONE, brought
from tests.shop import Shop

ORDER = {
    "id", "reference", "status", "version", "currency", "subtotal", "discount", "tax", "shipping", "total", "items",
    "customer", "shipping_address", "billing_address", "notes", "metadata", "placed_at", "expires_at", "paid_at",
    "fulfilled_at", "shipped_at", "delivered_at", "cancelled_at",
}  # fmt: skip
ITEM = {
    "id", "product_id", "variant_id", "producer_id", "title", "variant_title", "status", "quantity",
    "backordered_quantity", "unit_price", "total",
}  # fmt: skip
UNKNOWN = "order_01kaktq2m8e8q8k3v9m1c4x7zd"


def test_answers_what_checkout_answered(shop: Shop) -> None:
    first, second = shop.variant(price=1299), shop.variant(price=50)
    body = {"notes": "ring twice", "metadata": {"gift": True, "n": [1, 2.5, None]}}
    billing = {"line1": "Stadiou 2", "city": "Athens", "postal_code": "10564", "country": "GR"}
    sent = shop.checkout_body({first: 2, second: 3}, billing_address=billing, **body)
    placed = shop.post("/checkout", sent, idempotency_key="k")
    assert placed.status == 201
    reply = shop.get(placed.headers["location"], api_key=shop.admin)
    assert reply.status == 200
    assert reply.body == placed.body
    assert list(reply.body) == list(placed.body)
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_carries_every_field_of_the_contract(shop: Shop) -> None:
    order = brought(shop, "DELIVERED")
    assert order.keys() == ORDER
    assert order["items"][0].keys() == ITEM
    assert order["version"] == 5
    assert order["placed_at"] <= order["paid_at"] <= order["fulfilled_at"] <= order["shipped_at"]
    assert order["shipped_at"] <= order["delivered_at"]
    assert order["cancelled_at"] is None


def test_finds_by_reference_in_any_case_with_or_without_the_dash(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    reference = order["reference"]
    for text in (reference, reference.lower(), reference.replace("-", ""), reference.replace("-", "").lower()):
        assert shop.get(f"/orders/{text}", api_key=shop.admin).body == order


def test_a_guest_sees_the_order_with_its_phone(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    for key in (order["id"], order["reference"]):
        reply = shop.get(f"/orders/{key}?phone={PHONE}")
        assert (reply.status, reply.body) == (200, order)
    # A plus that was not encoded is a space by the rules of query strings.
    assert shop.get(f"/orders/{order['id']}?phone=+306912345678").status == 200


def test_the_key_that_placed_it_sees_it(shop: Shop) -> None:
    placing, other = shop.api_key(), shop.api_key("products:read")
    order = shop.order({shop.variant(): 1}, api_key=placing)
    assert shop.get(f"/orders/{order['id']}", api_key=placing).body == order
    assert shop.get(f"/orders/{order['id']}", api_key=other).status == 404
    assert shop.get(f"/orders/{order['id']}?phone={PHONE}", api_key=other).status == 200
    assert shop.get(f"/orders/{order['id']}", api_key=shop.api_key("orders:read")).status == 200


def test_refuses_not_found(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    stranger = shop.api_key("products:read")

    def told(path: str, api_key: str | None = None) -> bytes:
        reply = shop.get(path, api_key=api_key)
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        assert reply.body.pop("instance") == path.partition("?")[0]
        assert "etag" not in reply.headers
        return json.dumps(reply.body).encode()

    with shop.unchanged():
        unknown = told(f"/orders/{UNKNOWN}?phone={PHONE}")
        for key in (order["id"], order["reference"]):
            assert told(f"/orders/{key}") == unknown
            assert told(f"/orders/{key}?phone=%2B306912345679") == unknown
            assert told(f"/orders/{key}", stranger) == unknown
            assert told(f"/orders/{key}?phone=%2B306912345679", stranger) == unknown
        for key in (UNKNOWN, "ZZZZ-ZZZZ", "zzzzzzzz", "nothing", "ﬀﬀﬀﬀ", "-", "order_"):
            assert told(f"/orders/{key}", shop.admin) == unknown


def test_an_order_without_a_phone_is_not_found_by_none(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    shop.execute("UPDATE orders SET customer = '{}', customer_phone = NULL WHERE id = ?", order["id"])
    assert shop.get(f"/orders/{order['id']}").status == 404
    erased = shop.get(f"/orders/{order['id']}", api_key=shop.admin)
    assert erased.body == {**order, "customer": {}}


@pytest.mark.parametrize("query", ["phone=123", "phone=", "phone=abc", "colour=red"])
def test_refuses_invalid(shop: Shop, query: str) -> None:
    order = shop.order({shop.variant(): 1})
    reply = shop.get(f"/orders/{order['id']}?{query}")
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_refuses_unauthenticated(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    reply = shop.get(f"/orders/{order['id']}?phone={PHONE}", api_key="sk_unknown")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")

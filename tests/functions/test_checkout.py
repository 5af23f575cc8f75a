"""POST /checkout: what is written, from lines and from carts, whatever is held, and in how many round trips."""

import json
import re
from typing import Any

import pytest

from api.database import database
from api.settings import settings
from db.helper import Trip
from tests.engines.homes import database_class
from tests.functions.carts.support import guest, lines_of, stock
from tests.functions.stock.support import held, low_events, moves_of
from tests.shop import LOOP, Reply, Shop


def place(shop: Shop, lines: dict[str, int], key: str = "key", **more: object) -> Reply:
    return shop.post("/checkout", shop.checkout_body(lines, **more), idempotency_key=key)


def test_places_an_order_of_lines(shop: Shop) -> None:
    honey, oil = shop.variant(stock=10, price=1299, title="Honey"), shop.variant(stock=4, price=850, title="Oil")
    reply = place(
        shop, {honey: 2, oil: 1}, notes="Ring twice.", metadata={"gift": True, "n": None}, expected_total=3448,
        billing_address={"line1": "Stadiou 5", "city": "Athens", "postal_code": "10562", "country": "GR"},
    )  # fmt: skip
    assert reply.status == 201
    order = reply.body
    assert reply.headers["location"] == f"/orders/{order['id']}"
    assert reply.headers["etag"] == '"1"'
    assert re.fullmatch("order_[0-7][0-9a-hjkmnp-tv-z]{25}", order["id"])
    assert re.fullmatch("[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", order["reference"])
    amounts = {name: order[name] for name in ("currency", "subtotal", "discount", "tax", "shipping", "total")}
    assert amounts == {"currency": "EUR", "subtotal": 3448, "discount": 0, "tax": 0, "shipping": 0, "total": 3448}
    assert (order["status"], order["version"], order["placed_at"][:10]) == ("PENDING", 1, shop.now[:10])
    assert (order["notes"], order["metadata"]) == ("Ring twice.", {"gift": True, "n": None})
    assert order["customer"] == {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"}
    assert order["shipping_address"]["line1"] == "Ermou 1"
    assert order["billing_address"]["line1"] == "Stadiou 5"
    kept = [(item["title"], item["quantity"], item["unit_price"], item["total"]) for item in order["items"]]
    assert kept == [("Honey", 2, 1299, 2598), ("Oil", 1, 850, 850)]
    assert [item["backordered_quantity"] for item in order["items"]] == [0, 0]
    assert stock(shop, honey) == (8, 0, 0)
    assert moves_of(shop, honey) == [("sale", -2, 8)]
    assert moves_of(shop, oil) == [("sale", -1, 3)]
    shop.checked()


def test_stores_what_it_answers(shop: Shop) -> None:
    placed = shop.order({shop.variant(size="250 g"): 2})
    found = shop.get(f"/orders/{placed['id']}", api_key=shop.admin)
    assert found.body == placed
    assert json.loads(shop.one("SELECT variant FROM order_items")) == {"sku": "SKU-1", "size": "250 g"}


def test_keeps_titles_and_prices_as_they_were(shop: Shop) -> None:
    variant = shop.variant(price=1299, title="Thyme honey")
    placed = shop.order({variant: 1})
    shop.execute("UPDATE products SET title = 'Renamed', price = 1, version = version + 1")
    shop.execute("UPDATE variants SET title = 'Renamed', price = 1")
    item = shop.get(f"/orders/{placed['id']}", api_key=shop.admin).body["items"][0]
    assert (item["title"], item["variant_title"], item["unit_price"]) == ("Thyme honey", "Thyme honey", 1299)


def test_the_same_variant_twice_counts_as_one_line(shop: Shop) -> None:
    variant = shop.variant(stock=5, price=100)
    body = shop.checkout_body() | {"lines": lines_of({variant: 2}) + lines_of({variant: 3})}
    reply = shop.post("/checkout", body, idempotency_key="key")
    assert [(item["quantity"], item["total"]) for item in reply.body["items"]] == [(5, 500)]
    assert stock(shop, variant) == (0, 0, 0)
    shop.checked()


def test_takes_the_largest_quantities(shop: Shop) -> None:
    variant = shop.variant(stock=10_000, price=10**9)
    assert shop.order({variant: 10_000})["total"] == 10**13
    shop.checked()


def test_an_order_by_an_api_key_is_the_keys(shop: Shop) -> None:
    key = shop.api_key()
    placed = shop.order({shop.variant(): 1}, api_key=key)
    assert shop.one("SELECT api_key_id FROM orders WHERE id = ?", placed["id"]) is not None
    assert [order["id"] for order in shop.get("/orders", api_key=key).body["items"]] == [placed["id"]]


def test_never_expires_without_a_ttl(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNPAID_ORDER_TTL", "0")
    settings.cache_clear()
    assert shop.order({shop.variant(): 1})["expires_at"] is None


def test_places_an_order_of_a_cart_in_its_order(shop: Shop) -> None:
    first, second, third = shop.variant(title="A"), shop.variant(title="B"), shop.variant(title="C")
    cart = guest(shop, {third: 1})
    cart.add(first, 2)
    cart.add(second, 3)
    reply = cart.checkout()
    assert reply.status == 201
    assert [(item["title"], item["quantity"]) for item in reply.body["items"]] == [("C", 1), ("A", 2), ("B", 3)]
    assert cart.view()["status"] == "CHECKED_OUT"
    assert shop.one("SELECT cart_id FROM orders") == cart.id
    shop.checked()


def test_places_an_order_of_a_key_owners_cart(shop: Shop) -> None:
    key, variant = shop.api_key(), shop.variant()
    cart = shop.post("/carts", {"items": lines_of({variant: 2})}, api_key=key).body
    body = shop.checkout_body(cart_id=cart["id"])
    assert shop.post("/checkout", body, idempotency_key="key", api_key=key).status == 201
    shop.checked()


def test_expired_holds_count_as_free_and_end_first(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    held(shop, variant, 2, expires_in=60)
    held(shop, variant, 3, expires_in=30)
    assert place(shop, {variant: 1}).body["code"] == "insufficient_stock"
    shop.clock(60)
    assert place(shop, {variant: 4}).status == 201
    assert shop.rows("SELECT quantity, status FROM reservations ORDER BY id") == [(2, "EXPIRED"), (3, "EXPIRED")]
    assert stock(shop, variant) == (1, 0, 0)
    assert moves_of(shop, variant)[2:] == [("release", 3, 3), ("release", 2, 5), ("sale", -4, 1)]
    in_order = "SELECT reason FROM stock_moves WHERE reason IN ('release', 'sale') ORDER BY id"
    assert shop.rows(in_order) == [("release",), ("release",), ("sale",)]
    shop.checked()


def test_a_cart_consumes_its_own_hold(shop: Shop) -> None:
    variant = shop.variant(stock=3)
    cart = guest(shop, {variant: 2})
    held(shop, variant, 3, cart_id=cart.id)
    assert cart.item(variant)["available"] == 3
    assert cart.checkout().status == 201
    assert shop.rows("SELECT status FROM reservations") == [("CONSUMED",)]
    assert stock(shop, variant) == (1, 0, 0)
    assert moves_of(shop, variant)[1:] == [("release", 3, 3), ("sale", -2, 1)]
    shop.checked()


def test_another_carts_hold_does_not_count(shop: Shop) -> None:
    variant = shop.variant(stock=3)
    mine, other = guest(shop, {variant: 1}), guest(shop, {variant: 1})
    held(shop, variant, 3, cart_id=other.id)
    with shop.unchanged():
        reply = mine.checkout()
    assert reply.body["code"] == "insufficient_stock"
    assert reply.body["lines"] == [{"variant_id": variant, "requested": 1, "available": 0}]
    assert other.checkout().status == 201
    shop.checked()


def test_continue_takes_what_there_is_and_owes_the_rest(shop: Shop) -> None:
    variant, plenty = shop.variant(stock=3, policy="CONTINUE", price=100), shop.variant(stock=9, price=10)
    order = place(shop, {variant: 5, plenty: 1}).body
    assert [item["backordered_quantity"] for item in order["items"]] == [2, 0]
    assert order["total"] == 510
    assert stock(shop, variant) == (0, 0, 2)
    assert moves_of(shop, variant) == [("sale", -3, 0)]
    assert place(shop, {variant: 4}, key="again").body["items"][0]["backordered_quantity"] == 4
    assert stock(shop, variant) == (0, 0, 6)
    assert moves_of(shop, variant) == [("sale", -3, 0)], "what takes nothing moves nothing"
    shop.checked()


def test_tells_the_outbox_of_the_order_once(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    found = shop.rows("SELECT topic, entity, entity_id, payload, sent_at FROM outbox")
    assert found == [
        ("order.placed", "order", order["id"], json.dumps({"order_id": order["id"]}).replace(" ", ""), None)
    ]
    assert shop.rows("SELECT from_status, to_status, actor FROM order_events") == [(None, "PENDING", "anonymous")]


def test_tells_of_low_stock_once_when_it_crosses_the_threshold(shop: Shop) -> None:
    variant = shop.variant(stock=7)  # the threshold is 5
    place(shop, {variant: 1}, "one")
    assert low_events(shop, variant) == []
    place(shop, {variant: 1}, "two")
    [payload] = low_events(shop, variant)
    assert json.loads(payload) == {"variant_id": variant, "available": 5, "low_stock_threshold": 5}
    place(shop, {variant: 1}, "three")
    assert len(low_events(shop, variant)) == 1


@pytest.mark.parametrize("lines", [1, 100])
def test_one_read_and_one_batch_whatever_the_number_of_lines(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, lines: int
) -> None:
    variants = {shop.variant(): 1 for _ in range(lines)}
    client = LOOP.run_until_complete(database(settings()))
    trips: list[Trip] = []
    monkeypatch.setattr("db.engines.trips.observers", [trips.append])
    before = client.trips
    reply = place(shop, variants)
    assert (reply.status, len(reply.body["items"])) == (201, lines)
    assert client.trips - before == 2
    assert [(trip.kind, trip.statements) for trip in trips] == [("read", 3), ("batch", 12)]
    assert re.search(r'desc="2"', reply.headers["server-timing"])
    shop.checked()


def test_a_price_that_changes_meanwhile_makes_the_line_run_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(price=100)
    real, runs = database_class().read, []

    async def read(self: Any, *statements: object, **how: Any) -> object:
        found = await real(self, *statements, **how)
        runs.append(1)
        if len(runs) == 1:
            shop.execute("UPDATE variants SET price = 250 WHERE id = ?", variant)
        return found

    monkeypatch.setattr(database_class(), "read", read)
    reply = place(shop, {variant: 2})
    assert (reply.status, reply.body["total"], len(runs)) == (201, 500, 2)
    assert 'desc="4"' in reply.headers["server-timing"]
    shop.checked()


def test_gives_up_as_busy_when_prices_never_stand_still(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(price=100)
    real = database_class().read

    async def read(self: Any, *statements: object, **how: Any) -> object:
        found = await real(self, *statements, **how)
        shop.execute("UPDATE variants SET price = price + 1 WHERE id = ?", variant)
        return found

    monkeypatch.setattr(database_class(), "read", read)
    reply = place(shop, {variant: 2})
    assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (503, "busy", "1")
    assert shop.one("SELECT count(*) FROM orders") == 0


def test_a_reference_drawn_twice_is_drawn_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["7K3M-9QPX", "7K3M-9QPX", "ABCD-2345"])
    monkeypatch.setattr("functions.checkout.order_reference", lambda: next(drawn))
    variant = shop.variant()
    assert place(shop, {variant: 1}, "one").body["reference"] == "7K3M-9QPX"
    assert place(shop, {variant: 1}, "two").body["reference"] == "ABCD-2345"
    shop.checked()

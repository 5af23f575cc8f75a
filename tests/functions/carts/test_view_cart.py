"""GET /carts/{cart}."""

from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.functions.stock.support import held
from tests.shop import Shop


def test_shows_the_cart_at_todays_prices(shop: Shop) -> None:
    variant = shop.variant(price=100, title="Honey")
    cart = guest(shop, {variant: 3})
    shop.execute("UPDATE variants SET price = 150")
    shop.execute("UPDATE products SET title = 'Thyme honey'")
    shown = cart.view()
    [item] = shown["items"]
    assert list(item) == ["id", "variant_id", "title", "quantity", "unit_price", "total", "available"]
    assert (item["title"], item["unit_price"], item["total"], shown["subtotal"]) == ("Thyme honey", 150, 450, 450)
    assert list(shown) == ["id", "status", "currency", "items", "subtotal", "expires_at", "version"]


def test_available_is_stock_expired_holds_and_the_carts_own(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    cart, other = guest(shop, {variant: 1}), guest(shop, {variant: 1})
    held(shop, variant, 1, expires_in=60)
    held(shop, variant, 2, cart_id=cart.id)
    held(shop, variant, 3, cart_id=other.id)
    assert cart.item(variant)["available"] == 6
    assert other.item(variant)["available"] == 7
    shop.clock(60)
    assert cart.item(variant)["available"] == 7
    shop.clock(900)
    assert cart.item(variant)["available"] == 10
    assert cart.checkout().status == 201


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE products SET deleted_at = '2026-11-21T08:00:00.000Z'",
        "UPDATE variants SET deleted_at = '2026-11-21T08:00:00.000Z'",
        "UPDATE products SET status = 'ARCHIVED'",
        "UPDATE products SET inventory_policy = 'DENY'",
    ],
)
def test_what_is_no_longer_for_sale_is_shown_with_nothing_available(shop: Shop, change: str) -> None:
    variant = shop.variant(price=100, title="Gone")
    cart = guest(shop, {variant: 2})
    shop.execute(change)
    shown = cart.view()
    assert [(item["title"], item["unit_price"], item["available"]) for item in shown["items"]] == [("Gone", 100, 0)]
    assert shown["subtotal"] == 200
    assert cart.checkout().body["code"] in ("unknown_variant", "variant_not_for_sale")


def test_an_expired_cart_is_shown_as_abandoned(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 2})
    shop.clock(1_209_599)
    assert cart.view()["status"] == "ACTIVE"
    shop.clock(1)
    with shop.unchanged():
        shown = cart.view()
    assert (shown["status"], len(shown["items"])) == ("ABANDONED", 1)


def test_a_cart_whose_articles_came_to_differ_has_no_currency(shop: Shop) -> None:
    first = shop.variant()
    cart = guest(shop, {first: 1, shop.variant(): 1})
    shop.execute(
        "UPDATE products SET currency = 'USD' WHERE id = (SELECT product_id FROM variants WHERE id = ?)", first
    )
    assert cart.view()["currency"] is None
    assert cart.checkout().body["code"] == "mixed_currency"


def test_shows_a_full_cart_in_one_round_trip(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1 for _ in range(100)})
    reply = shop.get(cart.path, cart_token=cart.token)
    assert len(reply.body["items"]) == 100
    assert 'desc="1"' in reply.headers["server-timing"]


def test_refuses_cart_not_found(shop: Shop) -> None:
    cart, other = guest(shop), guest(shop)
    keys = shop.post("/carts", {"items": lines_of({shop.variant(): 1})}, api_key=shop.api_key()).body
    asked: list[tuple[str, dict[str, Any]]] = [
        (cart.path, {}),
        (cart.path, {"cart_token": other.token}),
        (cart.path, {"cart_token": "x" * 43}),
        (cart.path, {"api_key": shop.admin}),
        (f"/carts/{keys['id']}", {}),
        (f"/carts/{keys['id']}", {"api_key": shop.admin}),
        (f"/carts/{keys['id']}", {"cart_token": cart.token}),
        (f"/carts/{shop.ids('cart')[0]}", {"cart_token": cart.token}),
        ("/carts/nonsense", {"cart_token": cart.token}),
        ("/carts/%F0%9F%9B%92", {"cart_token": cart.token}),
    ]
    told = set()
    with shop.unchanged():
        for path, sent in asked:
            reply = shop.get(path, **sent)
            told.add((reply.status, reply.body["code"], reply.body["detail"]))
            assert 'desc="1"' in reply.headers["server-timing"], "one and the same work for all"
    assert told == {(404, "cart_not_found", "We could not find this cart.")}


def test_refuses_a_bad_key_and_a_query(shop: Shop) -> None:
    cart = guest(shop)
    assert shop.get(cart.path, cart_token=cart.token, api_key="sk_unknown").status == 401
    assert shop.get(f"{cart.path}?cart={cart.id}", cart_token=cart.token).status == 422
    assert shop.get(f"{cart.path}?expand=items", cart_token=cart.token).status == 422

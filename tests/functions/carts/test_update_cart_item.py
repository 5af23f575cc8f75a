"""PATCH /carts/{cart}/items/{item}."""

from typing import Any

import pytest

from tests.functions.carts.support import Guest, guest
from tests.shop import Reply, Shop


def change(cart: Guest, item: str, quantity: Any = 3, **sent: Any) -> Reply:
    path = f"{cart.path}/items/{item}"
    return cart.shop.patch_(path, {"quantity": quantity}, **{"cart_token": cart.token, **sent})


def refused(cart: Guest, item: str, **sent: Any) -> Reply:
    with cart.shop.unchanged():
        return change(cart, item, **sent)


def test_sets_the_quantity(shop: Shop) -> None:
    first, second = shop.variant(price=10), shop.variant(price=100)
    cart = guest(shop, {first: 1, second: 1})
    reply = change(cart, cart.item(first)["id"], 10_000)
    assert (reply.status, reply.headers["etag"]) == (200, '"2"')
    assert reply.body == cart.view()
    assert cart.quantities() == {first: 10_000, second: 1}
    assert reply.body["subtotal"] == 100_100
    assert 'desc="2"' in reply.headers["server-timing"]


def test_the_later_one_counts(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    change(cart, item, 5)
    assert change(cart, item, 2).body["items"][0]["quantity"] == 2


def test_an_article_that_is_gone_can_be_lessened(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 9})
    shop.execute("UPDATE products SET deleted_at = ?", shop.now)
    assert change(cart, cart.view()["items"][0]["id"], 1).status == 200


def test_refuses_cart_not_found(shop: Shop) -> None:
    variant = shop.variant()
    cart, other = guest(shop, {variant: 1}), guest(shop)
    item = cart.item(variant)["id"]
    for token in (None, other.token):
        reply = refused(cart, item, cart_token=token)
        assert (reply.status, reply.body["code"]) == (404, "cart_not_found")


def test_refuses_not_found_for_an_item_that_is_not_in_it(shop: Shop) -> None:
    variant = shop.variant()
    cart, other = guest(shop, {variant: 1}), guest(shop, {variant: 1})
    for item in (other.item(variant)["id"], variant, "nonsense"):
        reply = refused(cart, item)
        assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_cart_not_active(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    cart.checkout()
    assert refused(cart, item).body["code"] == "cart_not_active"


def test_refuses_cart_expired(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    shop.clock(1_209_600)
    assert refused(cart, item).body["code"] == "cart_expired"


def test_refuses_stale_version(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    assert change(cart, item, if_match=1).status == 200
    assert refused(cart, item, if_match=1).status == 412


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 2**63, True, "1", 1.5, None])
def test_refuses_a_quantity_that_is_none(shop: Shop, quantity: Any) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    reply = refused(cart, item, quantity=quantity)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/quantity")

"""DELETE /carts/{cart}/items/{item}."""

from typing import Any

from tests.functions.carts.support import Guest, guest
from tests.shop import Reply, Shop


def remove(cart: Guest, item: str, **sent: Any) -> Reply:
    return cart.shop.delete(f"{cart.path}/items/{item}", **{"cart_token": cart.token, **sent})


def refused(cart: Guest, item: str, **sent: Any) -> Reply:
    with cart.shop.unchanged():
        return remove(cart, item, **sent)


def test_removes_an_article(shop: Shop) -> None:
    first, second = shop.variant(), shop.variant()
    cart = guest(shop, {first: 1, second: 2})
    reply = remove(cart, cart.item(first)["id"])
    assert (reply.status, reply.text) == (204, "")
    assert "content-length" not in reply.headers
    assert 'desc="2"' in reply.headers["server-timing"]
    assert cart.quantities() == {second: 2}
    assert cart.view()["version"] == 2


def test_the_last_one_leaves_an_empty_cart(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    remove(cart, cart.item(variant)["id"])
    assert (cart.view()["items"], cart.view()["currency"], cart.view()["subtotal"]) == ([], None, 0)


def test_refuses_not_found_the_second_time(shop: Shop) -> None:
    variant = shop.variant()
    cart, other = guest(shop, {variant: 1}), guest(shop, {variant: 1})
    item = cart.item(variant)["id"]
    assert remove(cart, item).status == 204
    for one in (item, other.item(variant)["id"], "nonsense"):
        reply = refused(cart, one)
        assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_cart_not_found(shop: Shop) -> None:
    variant = shop.variant()
    cart, other = guest(shop, {variant: 1}), guest(shop)
    item = cart.item(variant)["id"]
    for token in (None, other.token):
        assert refused(cart, item, cart_token=token).body["code"] == "cart_not_found"


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
    assert refused(cart, item, if_match=2).status == 412
    assert remove(cart, item, if_match=1).status == 204

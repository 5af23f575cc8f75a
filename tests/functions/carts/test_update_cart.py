"""PATCH /carts/{cart}."""

from typing import Any

from tests.functions.carts.support import Guest, guest, lines_of
from tests.shop import Reply, Shop

NOBODY = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def replace(cart: Guest, lines: dict[str, int] | None, **sent: Any) -> Reply:
    body = {} if lines is None else {"items": lines_of(lines)}
    return cart.shop.patch_(cart.path, body, **{"cart_token": cart.token, **sent})


def refused(cart: Guest, lines: dict[str, int] | None, **sent: Any) -> Reply:
    with cart.shop.unchanged():
        return replace(cart, lines, **sent)


def test_replaces_all_items(shop: Shop) -> None:
    first, second, third = (shop.variant(price=price) for price in (1, 10, 100))
    cart = guest(shop, {first: 1, second: 2})
    kept = cart.item(second)["id"]
    reply = replace(cart, {second: 5, third: 1})
    assert (reply.status, reply.headers["etag"]) == (200, '"2"')
    assert reply.body == cart.view()
    assert cart.quantities() == {second: 5, third: 1}
    assert cart.item(second)["id"] == kept, "what stays keeps its item"
    assert reply.body["subtotal"] == 150
    assert 'desc="2"' in reply.headers["server-timing"]


def test_empties_a_cart(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    assert replace(cart, {}).body["items"] == []


def test_without_items_only_extends_its_life(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    before = cart.view()
    shop.clock(1_000_000)
    after = replace(cart, None).body
    assert (after["items"], after["version"]) == (before["items"], 2)
    assert after["expires_at"] > before["expires_at"]
    shop.clock(1_000_000)
    assert cart.view()["status"] == "ACTIVE"
    assert cart.checkout().status == 201


def test_replaces_a_full_cart_by_another(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1 for _ in range(100)})
    others = {shop.variant(currency="USD"): 1 for _ in range(100)}
    reply = replace(cart, others)
    assert (reply.status, reply.body["currency"], len(reply.body["items"])) == (200, "USD", 100)


def test_refuses_cart_not_found(shop: Shop) -> None:
    cart, other = guest(shop), guest(shop)
    for token in (None, other.token):
        reply = refused(cart, None, cart_token=token)
        assert (reply.status, reply.body["code"]) == (404, "cart_not_found")


def test_refuses_cart_not_active(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    cart.checkout()
    assert refused(cart, {}).body["code"] == "cart_not_active"


def test_refuses_cart_expired(shop: Shop) -> None:
    cart = guest(shop)
    shop.clock(1_209_600)
    assert refused(cart, None).body["code"] == "cart_expired", "what is over cannot be extended"


def test_refuses_unknown_variant(shop: Shop) -> None:
    assert refused(guest(shop), {NOBODY: 1}).body["code"] == "unknown_variant"


def test_refuses_variant_not_for_sale(shop: Shop) -> None:
    variant = shop.variant(policy="DENY")
    assert refused(guest(shop), {variant: 1}).body["code"] == "variant_not_for_sale"


def test_refuses_mixed_currency(shop: Shop) -> None:
    lines = {shop.variant(): 1, shop.variant(currency="USD"): 1}
    assert refused(guest(shop), lines).body["code"] == "mixed_currency"


def test_refuses_stale_version(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    cart.add(variant)
    assert refused(cart, {}, if_match=1).status == 412
    assert replace(cart, {}, if_match=2).status == 200


def test_refuses_what_a_client_cannot_change(shop: Shop) -> None:
    cart = guest(shop)
    for body in ({"status": "ABANDONED"}, {"token": "x"}, {"expires_at": shop.now}, {"items": [{"quantity": 1}]}):
        with shop.unchanged():
            assert shop.patch_(cart.path, body, cart_token=cart.token).status == 422
    variant = shop.variant()
    with shop.unchanged():
        reply = shop.patch_(cart.path, {"items": lines_of({variant: 6_000}) * 2}, cart_token=cart.token)
    assert reply.body["errors"][0]["pointer"] == "/items/0/quantity"

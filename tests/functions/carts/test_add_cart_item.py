"""POST /carts/{cart}/items."""

from typing import Any

import pytest

from tests.engines.homes import database_class
from tests.functions.carts.support import Guest, guest
from tests.shop import Reply, Shop

NOBODY = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def test_adds_an_article(shop: Shop) -> None:
    first, second = shop.variant(price=100), shop.variant(price=50)
    cart = guest(shop, {second: 1})
    reply = cart.add(first, 2)
    assert reply.status == 201
    assert (reply.headers["location"], reply.headers["etag"]) == (cart.path, '"2"')
    assert [(item["variant_id"], item["quantity"]) for item in reply.body["items"]] == [(second, 1), (first, 2)]
    assert (reply.body["subtotal"], reply.body["version"]) == (250, 2)
    assert reply.body == cart.view()


def test_adds_to_what_is_there_already(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 2})
    item = cart.item(variant)["id"]
    assert [(one["id"], one["quantity"]) for one in cart.add(variant, 9_998).body["items"]] == [(item, 10_000)]


def test_every_change_is_a_version_and_a_new_lease(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    before = cart.view()["expires_at"]
    shop.clock(3_600)
    after = cart.add(shop.variant()).body
    assert after["expires_at"] > before
    assert shop.rows("SELECT version, updated_at > created_at, expires_at FROM carts") == [(2, 1, after["expires_at"])]


def test_an_api_key_adds_to_its_cart(shop: Shop) -> None:
    key = shop.api_key()
    cart = shop.post("/carts", api_key=key).body
    body = {"variant_id": shop.variant(), "quantity": 1}
    assert shop.post(f"/carts/{cart['id']}/items", body, api_key=key).status == 201


def test_the_same_key_adds_once(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    first = cart.add(variant, 2, idempotency_key="key")
    cart.add(variant, 5)
    with shop.unchanged():
        again = cart.add(variant, 2, idempotency_key="key")
    assert (again.status, again.text, again.headers["etag"]) == (201, first.text, '"2"')
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert cart.quantities() == {variant: 8}
    assert cart.add(variant, 3, idempotency_key="key").body["code"] == "idempotency_key_reused"


def test_a_replay_precedes_a_stale_version(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop)
    first = cart.add(variant, 1, idempotency_key="key", if_match=1)
    assert cart.add(variant, 1, idempotency_key="key", if_match=1).text == first.text
    assert cart.add(variant, 1, idempotency_key="other", if_match=1).status == 412


def test_at_most_one_read_and_one_batch(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1 for _ in range(99)})
    assert 'desc="2"' in cart.add(shop.variant(), idempotency_key="key").headers["server-timing"]


def interfered(shop: Shop, monkeypatch: pytest.MonkeyPatch, sql: str, *values: Any) -> list[int]:
    """Run `sql` between the next read and its batch; one entry per read."""
    real, reads = database_class().read, []

    async def read(self: Any, *statements: Any, **how: Any) -> Any:
        found = await real(self, *statements, **how)
        reads.append(1)
        if len(reads) == 1:
            shop.execute(sql, *values)
        return found

    monkeypatch.setattr(database_class(), "read", read)
    return reads


def test_another_addition_meanwhile_is_kept_and_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    reads = interfered(shop, monkeypatch, "UPDATE cart_items SET quantity = quantity + 5")
    reply = cart.add(variant, 2)
    assert reply.body["items"][0]["quantity"] == 8
    assert len(reads) == 1, "nothing ran again"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE carts SET status = 'CHECKED_OUT'", "cart_not_active"),
        ("UPDATE carts SET expires_at = created_at || 'Z'", "cart_expired"),
        ("UPDATE cart_items SET quantity = 9999", "invalid"),
        ("UPDATE products SET currency = 'USD' WHERE slug = 'product-1'", "mixed_currency"),
        ("DELETE FROM cart_items", None),
    ],
)
def test_what_changes_meanwhile_is_decided_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, sql: str, code: str | None
) -> None:
    first, second = shop.variant(), shop.variant()
    cart = guest(shop, {first: 1})
    reads = interfered(shop, monkeypatch, sql)
    reply = cart.add(second if code == "mixed_currency" else first, 2)
    assert (reply.body.get("code"), len(reads)) == (code, 1 if code is None else 2)
    assert shop.one("SELECT count(*) FROM cart_items WHERE quantity = 2") == (0 if code else 1)


def test_a_stale_version_meanwhile_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    cart = guest(shop)
    interfered(shop, monkeypatch, "UPDATE carts SET version = 2")
    assert cart.add(shop.variant(), if_match=1).status == 412
    assert cart.quantities() == {}


def refused(cart: Guest, variant: str, quantity: int = 1, **sent: Any) -> Reply:
    with cart.shop.unchanged():
        reply = cart.add(variant, quantity, **sent)
    assert reply.status >= 400
    return reply


def test_refuses_cart_not_found(shop: Shop) -> None:
    cart, other, variant = guest(shop), guest(shop), shop.variant()
    for token in (None, other.token):
        reply = refused(cart, variant, cart_token=token)
        assert (reply.status, reply.body["code"]) == (404, "cart_not_found")


def test_refuses_cart_not_active(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 1})
    cart.checkout()
    assert refused(cart, variant).body["code"] == "cart_not_active"


def test_refuses_cart_expired(shop: Shop) -> None:
    variant = shop.variant()
    cart = guest(shop)
    shop.clock(1_209_600)
    assert refused(cart, variant).body["code"] == "cart_expired"


def test_refuses_unknown_variant(shop: Shop) -> None:
    reply = refused(guest(shop), NOBODY)
    assert (reply.status, reply.body["code"]) == (422, "unknown_variant")


def test_refuses_variant_not_for_sale(shop: Shop) -> None:
    variant = shop.variant(status="DRAFT")
    assert refused(guest(shop), variant).body["code"] == "variant_not_for_sale"


def test_refuses_mixed_currency(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(currency="EUR"): 1})
    dollars = shop.variant(currency="USD")
    reply = refused(cart, dollars)
    assert (reply.status, reply.body["code"]) == (422, "mixed_currency")
    shop.execute("UPDATE products SET deleted_at = ? WHERE currency = 'EUR'", shop.now)
    assert cart.add(dollars).status == 201, "what is gone has no currency"


def test_refuses_more_than_a_line_or_a_cart_holds(shop: Shop) -> None:
    variant, another = shop.variant(), shop.variant()
    cart = guest(shop, {variant: 9_999} | {shop.variant(): 1 for _ in range(99)})
    [error] = refused(cart, variant, 2).body["errors"]
    assert (error["pointer"], error["code"]) == ("/quantity", "less_than_equal")
    [error] = refused(cart, another).body["errors"]
    assert (error["pointer"], error["code"]) == ("/variant_id", "too_long")
    assert cart.add(variant).status == 201


def test_refuses_stale_version(shop: Shop) -> None:
    cart, variant = guest(shop), shop.variant()
    for stale in (2, '"0"', '"x"', "1"):
        assert refused(cart, variant, if_match=stale).status == 412
    assert cart.add(variant, if_match="*").status == 201
    assert cart.add(variant, if_match=2).status == 201


@pytest.mark.parametrize("quantity", [0, -1, 10_001, 2**63, True, "1", 1.5, None])
def test_refuses_a_quantity_that_is_none(shop: Shop, quantity: Any) -> None:
    cart, variant = guest(shop), shop.variant()
    assert refused(cart, variant, quantity).body["errors"][0]["pointer"] == "/quantity"

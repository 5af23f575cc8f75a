"""DELETE /carts/{cart}."""

from typing import Any

from tests.functions.carts.support import Guest, guest, stock
from tests.functions.stock.support import held, moves_of
from tests.shop import Reply, Shop


def remove(cart: Guest, **sent: Any) -> Reply:
    return cart.shop.delete(cart.path, **{"cart_token": cart.token, **sent})


def refused(cart: Guest, **sent: Any) -> Reply:
    with cart.shop.unchanged():
        return remove(cart, **sent)


def test_removes_the_cart_with_its_items(shop: Shop) -> None:
    variant = shop.variant()
    cart, other = guest(shop, {variant: 1}), guest(shop, {variant: 2})
    reply = remove(cart)
    assert (reply.status, reply.text) == (204, "")
    assert 'desc="2"' in reply.headers["server-timing"]
    assert shop.get(cart.path, cart_token=cart.token).status == 404
    assert shop.rows("SELECT cart_id, quantity FROM cart_items") == [(other.id, 2)]
    shop.checked()


def test_releases_what_is_held_for_it(shop: Shop) -> None:
    variant, another = shop.variant(stock=5), shop.variant(stock=5)
    cart, other = guest(shop, {variant: 1}), guest(shop, {variant: 1})
    held(shop, variant, 1, cart_id=cart.id, expires_in=60)
    held(shop, variant, 2, cart_id=cart.id)
    held(shop, another, 3, cart_id=cart.id)
    held(shop, variant, 1, cart_id=other.id)
    shop.clock(60)
    assert remove(cart).status == 204
    assert stock(shop, variant) == (4, 1, 0)
    assert stock(shop, another) == (5, 0, 0)
    assert moves_of(shop, variant)[3:] == [("release", 1, 2), ("release", 2, 4)]
    assert shop.rows("SELECT status, cart_id FROM reservations ORDER BY id") == [
        ("EXPIRED", None), ("RELEASED", None), ("RELEASED", None), ("HELD", other.id),
    ]  # fmt: skip
    shop.checked()


def test_an_expired_cart_can_be_removed(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    shop.clock(1_209_600)
    shop.execute("UPDATE carts SET status = 'ABANDONED'")
    assert remove(cart).status == 204
    assert shop.rows("SELECT * FROM cart_items") == []


def test_an_api_key_removes_its_cart(shop: Shop) -> None:
    key = shop.api_key()
    cart = shop.post("/carts", api_key=key).body
    assert shop.delete(f"/carts/{cart['id']}", api_key=key).status == 204


def test_a_hold_that_comes_meanwhile_is_released_too(shop: Shop, monkeypatch: Any) -> None:
    from tests.engines.homes import database_class

    variant = shop.variant(stock=5)
    cart = guest(shop, {variant: 1})
    real = database_class().read
    reads: list[int] = []

    async def read(self: Any, *statements: Any, **how: Any) -> Any:
        found = await real(self, *statements, **how)
        reads.append(1)
        if len(reads) == 1:
            times = {"created_at": shop.now, "updated_at": shop.now}
            location = shop.one("SELECT id FROM locations")
            shop.insert(
                "reservations", id=shop.ids("reservation")[0], variant_id=variant, location_id=location,
                cart_id=cart.id, quantity=2, status="HELD", expires_at="2099-01-01T00:00:00.000Z", **times,
            )  # fmt: skip
            shop.execute("UPDATE inventory SET stock = 3, reserved = 2")
            shop.insert(
                "stock_moves", id=shop.ids("move")[0], variant_id=variant, location_id=location, delta=-2,
                reason="reservation", balance_after=3, actor="test", created_at=shop.now,
            )  # fmt: skip
        return found

    monkeypatch.setattr(database_class(), "read", read)
    assert remove(cart).status == 204
    assert (len(reads), stock(shop, variant)) == (2, (5, 0, 0))
    shop.checked()


def test_refuses_cart_not_found(shop: Shop) -> None:
    cart, other = guest(shop), guest(shop)
    for token in (None, other.token):
        reply = refused(cart, cart_token=token)
        assert (reply.status, reply.body["code"]) == (404, "cart_not_found")
    assert remove(cart).status == 204
    assert refused(cart).status == 404


def test_refuses_cart_not_active(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    cart.checkout()
    reply = refused(cart)
    assert (reply.status, reply.body["code"]) == (409, "cart_not_active")


def test_refuses_stale_version(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    assert refused(cart, if_match=2).status == 412
    assert remove(cart, if_match=1).status == 204

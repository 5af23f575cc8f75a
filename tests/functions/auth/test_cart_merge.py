"""POST /auth/log-in with X-Cart-Token: what becomes of a guest's cart."""

from typing import Any

import pytest

from tests.functions.auth.support import EMAIL, PASSWORD, TRAIL
from tests.functions.carts.support import Guest, guest, lines_of
from tests.functions.stock.support import held
from tests.shop import Shop


def person(shop: Shop) -> str:
    return shop.user("customer", email=EMAIL, password=PASSWORD)


def own_cart(shop: Shop, user: str, lines: dict[str, int]) -> Any:
    reply = shop.post("/carts", {"items": lines_of(lines)}, token=shop.session(user))
    assert reply.status == 201, reply.text
    return reply.body


def log_in(shop: Shop, cart_token: str) -> str:
    """The access token of a log-in that shows a cart's token."""
    reply = shop.post("/auth/log-in", {"email": EMAIL, "password": PASSWORD}, cart_token=cart_token)
    assert reply.status == 200, reply.text
    token: str = reply.body["access_token"]
    return token


def lines(shop: Shop, cart_id: str) -> dict[str, int]:
    return dict(shop.rows("SELECT variant_id, quantity FROM cart_items WHERE cart_id = ? ORDER BY id", cart_id))


def pour(shop: Shop, cart_id: str, pieces: dict[str, int]) -> None:
    """Lines as rows."""
    for variant, quantity in pieces.items():
        shop.insert(
            "cart_items", id=shop.ids("item")[0], cart_id=cart_id, variant_id=variant, quantity=quantity,
            created_at=shop.now, updated_at=shop.now,
        )  # fmt: skip


def test_without_a_cart_of_their_own_the_guests_becomes_the_persons(shop: Shop) -> None:
    user, variant = person(shop), shop.variant()
    cart = guest(shop, {variant: 2})
    held(shop, variant, 2, cart_id=cart.id)
    token = log_in(shop, cart.token)
    assert shop.rows("SELECT id, user_id, token_hash, status, version FROM carts") == [
        (cart.id, user, None, "ACTIVE", 2)
    ]
    assert shop.get(cart.path, token=token).body["items"][0]["quantity"] == 2
    assert shop.get(cart.path, cart_token=cart.token).status == 404, "the token is good for nothing any more"
    assert shop.rows("SELECT cart_id FROM reservations") == [(cart.id,)]
    shop.checked()


def test_lines_are_added_to_the_newest_open_cart(shop: Shop) -> None:
    user = person(shop)
    both, theirs, guests = shop.variant(stock=50), shop.variant(), shop.variant()
    older = own_cart(shop, user, {both: 1})
    shop.clock(1)
    own = own_cart(shop, user, {both: 3, theirs: 1})
    shop.clock(1)
    cart = guest(shop, {guests: 5, both: 4})
    for variant in (both, guests):
        held(shop, variant, 2, cart_id=cart.id)
    token = log_in(shop, cart.token)
    assert lines(shop, own["id"]) == {both: 7, theirs: 1, guests: 5}
    assert lines(shop, older["id"]) == {both: 1}
    assert lines(shop, cart.id) == {}
    assert shop.rows("SELECT status, version FROM carts WHERE id = ?", cart.id) == [("ABANDONED", 2)]
    assert {row for row in shop.rows("SELECT cart_id FROM reservations")} == {(own["id"],)}
    seen = shop.get(f"/carts/{own['id']}", token=token).body
    assert (seen["version"], len(seen["items"])) == (2, 3)
    assert seen["expires_at"] > own["expires_at"]
    body = shop.checkout_body(cart_id=own["id"])
    assert shop.post("/checkout", body, token=token, idempotency_key="key").status == 201
    assert shop.one("SELECT count(*) FROM reservations WHERE status = 'CONSUMED'") == 2
    shop.checked()


def test_a_second_log_in_with_the_same_token_adds_nothing(shop: Shop) -> None:
    user, variant = person(shop), shop.variant()
    own, cart = own_cart(shop, user, {variant: 1}), guest(shop, {variant: 2})
    log_in(shop, cart.token)
    before = shop.rows("SELECT * FROM carts"), shop.rows("SELECT * FROM cart_items")
    log_in(shop, cart.token)
    assert (shop.rows("SELECT * FROM carts"), shop.rows("SELECT * FROM cart_items")) == before
    assert lines(shop, own["id"]) == {variant: 3}


def test_pieces_beyond_what_a_line_may_hold_stay_with_the_guest(shop: Shop) -> None:
    user, over, exact, under = person(shop), shop.variant(), shop.variant(), shop.variant()
    own = own_cart(shop, user, {over: 9_000, exact: 9_000, under: 1})
    cart = guest(shop, {over: 1_500, exact: 1_000, under: 1})
    log_in(shop, cart.token)
    assert lines(shop, own["id"]) == {over: 10_000, exact: 10_000, under: 2}
    assert cart.quantities() == {over: 500}, "still open under its token"
    log_in(shop, cart.token)
    assert lines(shop, own["id"])[over] == 10_000
    assert cart.quantities() == {over: 500}
    shop.checked()


def test_lines_beyond_a_hundred_stay_with_the_guest(shop: Shop) -> None:
    user, last = person(shop), shop.variant()
    own = own_cart(shop, user, {shop.variant(): 1})
    pour(shop, own["id"], {shop.variant(): 1 for _ in range(97)})
    cart = guest(shop)
    first, second = shop.variant(), shop.variant()
    pour(shop, cart.id, {first: 1, second: 2})
    shop.clock(1)
    pour(shop, cart.id, {last: 3})
    held(shop, last, 3, cart_id=cart.id)
    log_in(shop, cart.token)
    assert len(lines(shop, own["id"])) == 100
    assert cart.quantities() == {last: 3}
    assert shop.rows("SELECT cart_id FROM reservations") == [(cart.id,)], "what stays stays held for it"
    shop.checked()


def test_a_cart_in_another_currency_becomes_a_second_one(shop: Shop) -> None:
    user, euros, dollars = person(shop), shop.variant(), shop.variant(currency="USD")
    own, cart = own_cart(shop, user, {euros: 1}), guest(shop, {dollars: 1})
    log_in(shop, cart.token)
    assert (lines(shop, own["id"]), lines(shop, cart.id)) == ({euros: 1}, {dollars: 1})
    assert {row for row in shop.rows("SELECT user_id, status FROM carts")} == {(user, "ACTIVE")}


@pytest.mark.parametrize("why", ["unknown", "expired", "checked_out", "another_persons"])
def test_a_token_of_no_open_guests_cart_changes_nothing(shop: Shop, why: str) -> None:
    user, variant = person(shop), shop.variant()
    own_cart(shop, user, {variant: 1})
    cart = guest(shop, {variant: 2})
    if why == "unknown":
        cart = Guest(shop, cart.id, "no such token")
    elif why == "expired":
        shop.clock(400 * 86_400)
    elif why == "checked_out":
        assert cart.checkout().status == 201
    else:
        shop.execute("UPDATE carts SET token_hash = NULL, user_id = ? WHERE id = ?", shop.user(), cart.id)
    with shop.unchanged("user_sessions", "rate_limits", *TRAIL):
        log_in(shop, cart.token)


def test_a_log_in_that_is_refused_merges_nothing(shop: Shop) -> None:
    person(shop)
    cart = guest(shop, {shop.variant(): 1})
    with shop.unchanged("rate_limits", *TRAIL):
        reply = shop.post("/auth/log-in", {"email": EMAIL, "password": "something else"}, cart_token=cart.token)
    assert reply.status == 401

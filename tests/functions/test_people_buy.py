"""The sale for who has logged in: a cart, its checkout, and the orders that are theirs."""

from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of, stock
from tests.functions.orders.support import brought
from tests.functions.stock.support import held
from tests.shop import DIRECTORY, Shop


def cart_of(shop: Shop, token: str, lines: dict[str, int]) -> Any:
    reply = shop.post("/carts", {"items": lines_of(lines)}, token=token)
    assert reply.status == 201, reply.text
    return reply.body


def test_a_persons_cart_has_no_token_and_is_theirs(shop: Shop) -> None:
    user, variant = shop.user("customer"), shop.variant()
    cart = cart_of(shop, shop.session(user), {variant: 2})
    assert cart["token"] is None
    assert shop.rows("SELECT user_id, api_key_id, token_hash FROM carts") == [(user, None, None)]
    another_session, path = shop.session(user), f"/carts/{cart['id']}"
    assert shop.get(path, token=another_session).body["items"] == cart["items"]
    assert shop.post(f"{path}/items", {"variant_id": variant, "quantity": 1}, token=another_session).status == 201
    item = cart["items"][0]["id"]
    assert shop.patch_(f"{path}/items/{item}", {"quantity": 4}, token=another_session).status == 200
    assert shop.delete(f"{path}/items/{item}", token=another_session).status == 204
    assert shop.delete(path, token=another_session).status == 204
    assert shop.rows("SELECT id FROM carts") == []


def test_what_a_person_orders_is_theirs(shop: Shop) -> None:
    user, variant = shop.user("customer"), shop.variant(stock=5)
    token = shop.session(user)
    cart = cart_of(shop, token, {variant: 2})
    held(shop, variant, 2, cart_id=cart["id"])
    body = shop.checkout_body(cart_id=cart["id"])
    assert shop.post("/checkout/quote", {"cart_id": cart["id"]}, token=token).body["total"] == 2598
    reply = shop.post("/checkout", body, token=token, idempotency_key="key")
    assert reply.status == 201, reply.text
    assert shop.rows("SELECT user_id, api_key_id, cart_id FROM orders") == [(user, None, cart["id"])]
    assert shop.rows("SELECT actor FROM order_events") == [(user,)]
    assert stock(shop, variant) == (3, 0, 0), "the hold for the cart was consumed"
    again = shop.post("/checkout", body, token=shop.session(user), idempotency_key="key")
    assert (again.body, again.headers["idempotency-replayed"]) == (reply.body, "true"), "the person is the scope"
    order = reply.body
    for key in (order["id"], order["reference"]):
        assert shop.get(f"/orders/{key}", token=token).body == order
    assert shop.get("/orders", token=token).body["items"] == [order]
    cancelled = shop.post(f"/orders/{order['id']}/cancel", token=token, if_match=1)
    assert cancelled.body["status"] == "CANCELLED"
    assert stock(shop, variant) == (5, 0, 0)
    shop.checked()


def test_a_guests_cart_checked_out_after_the_log_in_is_the_persons_order(shop: Shop) -> None:
    user = shop.user("customer")
    cart = guest(shop, {shop.variant(): 1})
    body = shop.checkout_body(cart_id=cart.id)
    sent = {"token": shop.session(user), "cart_token": cart.token}
    assert shop.post("/checkout", body, idempotency_key="key", **sent).status == 201
    assert shop.rows("SELECT user_id FROM orders") == [(user,)]
    shop.checked()


@pytest.mark.parametrize("status", ["PAID", "FULFILLED"])
def test_a_person_cancels_only_while_pending(shop: Shop, status: str) -> None:
    token = shop.session(shop.user("customer"))
    order = brought(shop, status, token=token)
    with shop.unchanged():
        reply = shop.post(f"/orders/{order['id']}/cancel", token=token, if_match=order["version"])
    assert (reply.status, reply.body["code"]) == (409, "illegal_transition")


def test_staff_see_all_orders_and_cancel_a_persons(shop: Shop) -> None:
    staff = shop.session(shop.user("staff"))
    order = shop.order({shop.variant(): 1}, token=shop.session(shop.user("customer")))
    assert shop.get("/orders", token=staff).body["items"] == [order]
    assert shop.get(f"/orders/{order['id']}", token=staff).body == order
    assert shop.post(f"/orders/{order['id']}/cancel", token=staff, if_match=1).status == 200


def test_the_checkout_of_a_session_that_is_over_changes_nothing(shop: Shop) -> None:
    user, variant = shop.user("customer"), shop.variant()
    token = shop.session(user)
    cart = cart_of(shop, token, {variant: 1})
    shop.execute("UPDATE user_sessions SET revoked_at = ?", shop.now)
    with shop.unchanged():
        reply = shop.post("/checkout", shop.checkout_body(cart_id=cart["id"]), token=token, idempotency_key="key")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


def test_an_order_of_anothers_than_the_carts_owner_is_found(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    cart = cart_of(shop, token, {shop.variant(): 1})
    shop.post("/checkout", shop.checkout_body(cart_id=cart["id"]), token=token, idempotency_key="key")
    shop.checked()
    shop.execute("UPDATE orders SET user_id = ?", shop.user("customer"))
    (invariant,) = (DIRECTORY.parent / "invariants").glob("41_*.sql")
    assert len(shop.rows(invariant.read_text().rstrip().rstrip(";"))) == 1


def test_an_event_is_of_who_has_logged_in(shop: Shop) -> None:
    user = shop.user("customer")
    event = {"event_type": "pageview"}
    assert shop.post("/events", event, token=shop.session(user)).status == 201
    assert shop.post("/events", event).status == 201
    assert shop.post("/events", event, api_key=shop.admin).status == 201
    assert shop.rows("SELECT user_id FROM analytics_events ORDER BY id") == [(user,), (None,), (None,)]
    cut = shop.session(user)[:-3]
    with shop.unchanged():
        assert shop.post("/events", event, token=cut).status == 401

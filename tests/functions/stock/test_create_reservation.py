"""POST /stock/reservations."""

import json
from typing import Any

import pytest

from tests.functions.stock.support import cart, held, later, low_events, moves_of, reserve, stock_of
from tests.shop import Shop


def test_holds_pieces_until_a_time(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    reply = reserve(shop, variant, 4, 900)
    assert reply.status == 201
    assert reply.body == {
        "id": reply.body["id"],
        "variant_id": variant,
        "cart_id": None,
        "quantity": 4,
        "status": "HELD",
        "expires_at": reply.body["expires_at"],
        "created_at": reply.body["created_at"],
    }
    assert reply.body["expires_at"] > later(shop, 890)
    assert reply.headers["location"] == f"/stock/reservations/{reply.body['id']}"
    assert reply.headers["server-timing"].endswith('desc="2"')
    found = stock_of(shop, variant)
    assert (found["available"], found["reserved"], found["on_hand"]) == (6, 4, 10)
    assert moves_of(shop, variant) == [("reservation", -4, 6)]
    assert shop.one("SELECT note FROM stock_moves WHERE reason = 'reservation'") == reply.body["id"]
    shop.checked()


def test_takes_the_pieces_of_expired_holds(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    old = held(shop, variant, 3, expires_in=10)
    kept = held(shop, variant, 1, expires_in=100)
    shop.clock(11)
    new = held(shop, variant, 4)
    assert dict(shop.rows("SELECT id, status FROM reservations")) == {
        old["id"]: "EXPIRED",
        kept["id"]: "HELD",
        new["id"]: "HELD",
    }
    assert moves_of(shop, variant)[2:] == [("release", 3, 4), ("reservation", -4, 0)]
    shop.checked()


def test_the_carts_checkout_consumes_it(shop: Shop) -> None:
    variant = shop.variant(stock=2)
    token_cart = shop.post("/carts", {"items": [{"variant_id": variant, "quantity": 2}]}).body
    hold = held(shop, variant, 2, cart_id=token_cart["id"])
    with shop.unchanged():
        reply = shop.post("/checkout", shop.checkout_body({variant: 1}), idempotency_key="other")
    assert (reply.status, reply.body["lines"]) == (409, [{"variant_id": variant, "requested": 1, "available": 0}])
    reply = shop.post(
        "/checkout",
        shop.checkout_body(cart_id=token_cart["id"]),
        idempotency_key="mine",
        cart_token=token_cart["token"],
    )
    assert reply.status == 201, reply.text
    assert shop.one("SELECT status FROM reservations WHERE id = ?", hold["id"]) == "CONSUMED"
    assert moves_of(shop, variant) == [("reservation", -2, 0), ("release", 2, 2), ("sale", -2, 0)]
    shop.checked()


def test_says_once_that_stock_became_low(shop: Shop) -> None:
    variant = shop.variant(stock=7)
    held(shop, variant, 1)
    assert low_events(shop, variant) == []
    token_cart = shop.post("/carts", {"items": [{"variant_id": variant, "quantity": 3}]}).body
    held(shop, variant, 2, cart_id=token_cart["id"])
    assert [json.loads(one)["available"] for one in low_events(shop, variant)] == [4]
    reply = shop.post(
        "/checkout", shop.checkout_body(cart_id=token_cart["id"]), idempotency_key="1", cart_token=token_cart["token"]
    )
    assert reply.status == 201
    assert len(low_events(shop, variant)) == 1, "the hold had taken it below already"


def test_gives_the_same_answer_to_the_same_key(shop: Shop) -> None:
    variant = shop.variant(stock=3)
    body = {"variant_id": variant, "quantity": 2, "expires_in": 60}
    first = shop.post("/stock/reservations", body, api_key=shop.admin, idempotency_key="hold")
    with shop.unchanged():
        again = shop.post("/stock/reservations", body, api_key=shop.admin, idempotency_key="hold")
    assert (again.status, again.text, again.headers["idempotency-replayed"]) == (201, first.text, "true")


def test_refuses_unknown_variant(shop: Shop) -> None:
    variant = shop.ids("variant")[0]
    with shop.unchanged():
        reply = reserve(shop, variant)
    assert (reply.status, reply.body["code"], reply.body["variant_id"]) == (422, "unknown_variant", variant)


@pytest.mark.parametrize("kind", [{"policy": "DENY"}, {"status": "DRAFT"}, {"status": "ARCHIVED"}])
def test_refuses_variant_not_for_sale(shop: Shop, kind: dict[str, Any]) -> None:
    variant = shop.variant(**kind)
    with shop.unchanged():
        reply = reserve(shop, variant)
    assert (reply.status, reply.body["code"], reply.body["variant_id"]) == (409, "variant_not_for_sale", variant)


@pytest.mark.parametrize("policy", ["TRACK", "CONTINUE"])
def test_refuses_insufficient_stock(shop: Shop, policy: str) -> None:
    variant = shop.variant(stock=3, policy=policy)
    held(shop, variant, 1)
    held(shop, variant, 1, expires_in=1)
    shop.clock(2)
    with shop.unchanged():
        reply = reserve(shop, variant, 3)
    assert (reply.status, reply.body["code"]) == (409, "insufficient_stock")
    assert reply.body["lines"] == [{"variant_id": variant, "requested": 3, "available": 2}]


def test_refuses_missing_reference(shop: Shop) -> None:
    variant = shop.variant()
    with shop.unchanged():
        reply = reserve(shop, variant, cart_id=shop.ids("cart")[0])
    assert (reply.status, reply.body["code"]) == (422, "missing_reference")


@pytest.mark.parametrize("status", ["ABANDONED", "CHECKED_OUT"])
def test_refuses_cart_not_active(shop: Shop, status: str) -> None:
    variant, cart_id = shop.variant(), cart(shop, status=status)
    with shop.unchanged():
        reply = reserve(shop, variant, cart_id=cart_id)
    assert (reply.status, reply.body["code"]) == (409, "cart_not_active")


def test_refuses_cart_expired(shop: Shop) -> None:
    variant, cart_id = shop.variant(), cart(shop, expires_in=5)
    shop.clock(6)
    with shop.unchanged():
        reply = reserve(shop, variant, cart_id=cart_id)
    assert (reply.status, reply.body["code"]) == (409, "cart_expired")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quantity": 0}, "/quantity"),
        ({"quantity": 10_001}, "/quantity"),
        ({"quantity": True}, "/quantity"),
        ({"expires_in": 0}, "/expires_in"),
        ({"expires_in": 604_801}, "/expires_in"),
        ({"expires_in": "60"}, "/expires_in"),
        ({"cart_id": "cart_1"}, "/cart_id"),
        ({"status": "CONSUMED"}, "/status"),
    ],
)
def test_refuses_what_is_not_a_reservation(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    variant = shop.variant()
    with shop.unchanged():
        reply = shop.post(
            "/stock/reservations", {"variant_id": variant, "quantity": 1, "expires_in": 60, **body}, api_key=shop.admin
        )
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, [pointer])


def test_refuses_without_the_permission(shop: Shop) -> None:
    body = {"variant_id": shop.variant(), "quantity": 1, "expires_in": 60}
    reader, holder = shop.api_key("stock:read"), shop.api_key("stock:reserve")
    with shop.unchanged():
        assert shop.post("/stock/reservations", body).status == 401
        assert shop.post("/stock/reservations", body, api_key=reader).status == 403
    assert shop.post("/stock/reservations", body, api_key=holder).status == 201

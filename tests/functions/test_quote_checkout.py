"""POST /checkout/quote: tells what checkout would do, and changes nothing."""

from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.functions.stock.support import held
from tests.shop import Reply, Shop

NOBODY = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def quote(shop: Shop, lines: dict[str, int] | None = None, *, status: int = 200, **sent: Any) -> Reply:
    """The quote of lines, or of a body: nothing is changed, whatever is answered."""
    body = sent.pop("body", None) or {"lines": lines_of(lines or {})}
    with shop.unchanged():
        reply = shop.post("/checkout/quote", body, **sent)
    assert reply.status == status, reply.text
    return reply


def test_tells_all_totals(shop: Shop) -> None:
    honey, oil = shop.variant(price=1299, title="Honey"), shop.variant(price=850, title="Oil", stock=3)
    reply = quote(shop, {honey: 2, oil: 3})
    assert 'desc="1"' in reply.headers["server-timing"]
    totals = {"currency": "EUR", "subtotal": 5148, "discount": 0, "tax": 0, "shipping": 0, "total": 5148}
    assert {name: value for name, value in reply.body.items() if name != "items"} == totals
    assert reply.body["items"][1] == {
        "variant_id": oil, "title": "Oil", "variant_title": "Oil", "quantity": 3, "unit_price": 850, "total": 2550,
        "available": 3, "backordered_quantity": 0,
    }  # fmt: skip


def test_takes_the_whole_body_of_a_checkout(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(price=100): 1}, notes="x", metadata={"a": 1}, expected_total=100)
    assert quote(shop, body=body).body["total"] == 100


def test_what_is_quoted_is_what_is_placed(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(price=321, stock=2, policy="CONTINUE"): 5, shop.variant(price=7): 3})
    quoted = quote(shop, body={"cart_id": cart.id}, cart_token=cart.token).body
    placed = cart.checkout(expected_total=quoted["total"]).body
    for name in ("currency", "subtotal", "discount", "tax", "shipping", "total"):
        assert quoted[name] == placed[name]
    shared = ("variant_id", "title", "variant_title", "quantity", "unit_price", "total", "backordered_quantity")
    assert [[item[name] for name in shared] for item in quoted["items"]] == [
        [item[name] for name in shared] for item in placed["items"]
    ]


def test_counts_expired_holds_and_the_carts_own(shop: Shop) -> None:
    variant = shop.variant(stock=6)
    cart = guest(shop, {variant: 5})
    held(shop, variant, 1, expires_in=60)
    held(shop, variant, 2, cart_id=cart.id)
    held(shop, variant, 1)
    shop.clock(60)
    [item] = quote(shop, body={"cart_id": cart.id}, cart_token=cart.token).body["items"]
    assert item["available"] == 5


def test_takes_a_hundred_lines_in_one_round_trip(shop: Shop) -> None:
    reply = quote(shop, {shop.variant(): 1 for _ in range(100)}, api_key=shop.api_key())
    assert (len(reply.body["items"]), 'desc="1"' in reply.headers["server-timing"]) == (100, True)


def test_refuses_cart_or_lines(shop: Shop) -> None:
    cart = guest(shop)
    for body in ({"notes": "x"}, {"cart_id": cart.id, "lines": []}):
        assert quote(shop, body=body, status=422, cart_token=cart.token).body["code"] == "cart_or_lines"


def test_refuses_cart_not_found(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    tokens: tuple[dict[str, Any], ...] = ({}, {"cart_token": guest(shop).token})
    for sent in tokens:
        assert quote(shop, body={"cart_id": cart.id}, status=404, **sent).body["code"] == "cart_not_found"


def test_refuses_cart_not_active(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    cart.checkout()
    reply = quote(shop, body={"cart_id": cart.id}, status=409, cart_token=cart.token)
    assert reply.body["code"] == "cart_not_active"


def test_refuses_cart_expired(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    shop.clock(1_209_600)
    reply = quote(shop, body={"cart_id": cart.id}, status=409, cart_token=cart.token)
    assert reply.body["code"] == "cart_expired"


def test_refuses_empty_order(shop: Shop) -> None:
    assert quote(shop, {}, status=422).body["code"] == "empty_order"


def test_refuses_unknown_variant(shop: Shop) -> None:
    assert quote(shop, {NOBODY: 1}, status=422).body["code"] == "unknown_variant"


def test_refuses_variant_not_for_sale(shop: Shop) -> None:
    assert quote(shop, {shop.variant(policy="DENY"): 1}, status=409).body["code"] == "variant_not_for_sale"


def test_refuses_mixed_currency(shop: Shop) -> None:
    lines = {shop.variant(): 1, shop.variant(currency="USD"): 1}
    assert quote(shop, lines, status=422).body["code"] == "mixed_currency"


def test_refuses_coupon_invalid(shop: Shop) -> None:
    body = {"lines": lines_of({shop.variant(): 1}), "coupon_code": "WELCOME"}
    reply = quote(shop, body=body, status=422)
    assert (reply.body["code"], reply.body["reason"]) == ("coupon_invalid", "unknown")


def test_refuses_insufficient_stock(shop: Shop) -> None:
    variant = shop.variant(stock=1)
    reply = quote(shop, {variant: 2}, status=409)
    assert reply.body["lines"] == [{"variant_id": variant, "requested": 2, "available": 1}]


def test_refuses_price_changed(shop: Shop) -> None:
    body = {"lines": lines_of({shop.variant(price=100): 1}), "expected_total": 99}
    reply = quote(shop, body=body, status=409)
    assert (reply.body["code"], reply.body["total"]) == ("price_changed", 100)


@pytest.mark.parametrize("change", [{"colour": 1}, {"customer": {"name": "x"}}, {"lines": [{"quantity": 1}]}])
def test_refuses_what_checkout_would_refuse(shop: Shop, change: dict[str, Any]) -> None:
    body = {"lines": lines_of({shop.variant(): 1})} | change
    assert quote(shop, body=body, status=422).body["code"] == "invalid"

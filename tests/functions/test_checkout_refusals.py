"""POST /checkout refuses: status, code, the problem's shape, and no table changed."""

import json
from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.functions.stock.support import held
from tests.shop import Reply, Shop

NOBODY = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def refused(shop: Shop, body: Any, status: int, code: str, **sent: Any) -> Any:
    """The problem of a checkout that is refused and changes nothing."""
    with shop.unchanged():
        reply = shop.post("/checkout", body, **{"idempotency_key": "key", **sent})
    assert (reply.status, reply.body["code"]) == (status, code), reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body["type"] == f"https://tallystick.dev/problems/{code.replace('_', '-')}"
    assert reply.body["status"] == status
    assert reply.body["title"] and reply.body["detail"]
    assert reply.body["instance"] == "/checkout"
    assert "idempotency-replayed" not in reply.headers
    return reply.body


def refused_at(shop: Shop, body: Any, pointer: str, code: str) -> None:
    """422 `invalid`, with one error at `pointer`."""
    problem = refused(shop, body, 422, "invalid")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert problem["errors"][0]["detail"]


@pytest.mark.parametrize("both", [True, False])
def test_refuses_cart_or_lines(shop: Shop, both: bool) -> None:
    cart = guest(shop, {shop.variant(): 1})
    body = shop.checkout_body({shop.variant(): 1}, cart_id=cart.id) if both else shop.checkout_body()
    refused(shop, body, 422, "cart_or_lines", cart_token=cart.token)


@pytest.mark.parametrize("token", ["none", "another", "made_up"])
def test_refuses_cart_not_found(shop: Shop, token: str) -> None:
    cart, other = guest(shop, {shop.variant(): 1}), guest(shop)
    sent = {"none": {}, "another": {"cart_token": other.token}, "made_up": {"cart_token": "x" * 43}}[token]
    refused(shop, shop.checkout_body(cart_id=cart.id), 404, "cart_not_found", **sent)
    missing = shop.checkout_body(cart_id=shop.ids("cart")[0])
    refused(shop, missing, 404, "cart_not_found", cart_token=cart.token)


def test_refuses_cart_not_found_for_another_key(shop: Shop) -> None:
    cart = shop.post("/carts", {"items": lines_of({shop.variant(): 1})}, api_key=shop.api_key()).body
    body = shop.checkout_body(cart_id=cart["id"])
    refused(shop, body, 404, "cart_not_found", api_key=shop.admin)
    refused(shop, body, 404, "cart_not_found")


def test_refuses_cart_not_active(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    assert cart.checkout("first").status == 201
    refused(shop, shop.checkout_body(cart_id=cart.id), 409, "cart_not_active", cart_token=cart.token)


def test_refuses_cart_expired(shop: Shop) -> None:
    cart = guest(shop, {shop.variant(): 1})
    shop.clock(1_209_600)
    body = shop.checkout_body(cart_id=cart.id)
    refused(shop, body, 409, "cart_expired", cart_token=cart.token)
    shop.execute("UPDATE carts SET status = 'ABANDONED'")  # as the job would
    refused(shop, body, 409, "cart_expired", cart_token=cart.token)


def test_refuses_empty_order(shop: Shop) -> None:
    refused(shop, shop.checkout_body({}), 422, "empty_order")
    cart = guest(shop)
    refused(shop, shop.checkout_body(cart_id=cart.id), 422, "empty_order", cart_token=cart.token)


def test_refuses_unknown_variant(shop: Shop) -> None:
    problem = refused(shop, shop.checkout_body({shop.variant(): 1, NOBODY: 1}), 422, "unknown_variant")
    assert problem["variant_id"] == NOBODY
    assert problem["lines"] == [{"variant_id": NOBODY}]


@pytest.mark.parametrize("table", ["products", "variants"])
def test_refuses_unknown_variant_of_a_deleted_one(shop: Shop, table: str) -> None:
    cart = guest(shop, {shop.variant(): 1})
    shop.execute(f"UPDATE {table} SET deleted_at = ?", shop.now)
    refused(shop, shop.checkout_body(cart_id=cart.id), 422, "unknown_variant", cart_token=cart.token)


@pytest.mark.parametrize("how", [{"status": "DRAFT"}, {"status": "ARCHIVED"}, {"policy": "DENY"}])
def test_refuses_variant_not_for_sale(shop: Shop, how: dict[str, str]) -> None:
    variant = shop.variant(**how)  # type: ignore[arg-type]
    problem = refused(shop, shop.checkout_body({shop.variant(): 1, variant: 1}), 409, "variant_not_for_sale")
    assert problem["lines"] == [{"variant_id": variant}]


def test_refuses_mixed_currency(shop: Shop) -> None:
    lines = {shop.variant(currency="EUR"): 1, shop.variant(currency="USD"): 1}
    assert refused(shop, shop.checkout_body(lines), 422, "mixed_currency")["currencies"] == ["EUR", "USD"]


def test_refuses_coupon_invalid(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(): 1}, coupon_code="WELCOME")
    assert refused(shop, body, 422, "coupon_invalid")["reason"] == "unknown"


def test_refuses_insufficient_stock_naming_each_line(shop: Shop) -> None:
    enough, short, none = shop.variant(stock=9), shop.variant(stock=1), shop.variant(stock=0)
    problem = refused(shop, shop.checkout_body({enough: 1, short: 2, none: 1}), 409, "insufficient_stock")
    assert problem["title"] == "Insufficient stock"
    assert problem["lines"] == [
        {"variant_id": short, "requested": 2, "available": 1},
        {"variant_id": none, "requested": 1, "available": 0},
    ]


def test_refuses_insufficient_stock_counting_expired_holds(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    held(shop, variant, 2, expires_in=60)
    held(shop, variant, 1, expires_in=600)
    shop.clock(60)
    problem = refused(shop, shop.checkout_body({variant: 5}), 409, "insufficient_stock")
    assert problem["lines"] == [{"variant_id": variant, "requested": 5, "available": 4}]


@pytest.mark.parametrize("policy", ["TRACK", "CONTINUE"])
def test_refuses_insufficient_stock_without_a_stock_row(shop: Shop, policy: str) -> None:
    product = shop.one("SELECT product_id FROM variants WHERE id = ?", shop.variant(policy=policy))
    times = {"created_at": shop.now, "updated_at": shop.now}
    shop.insert("variants", id=NOBODY, product_id=product, sku="uncounted", title="Uncounted", price=1, **times)
    problem = refused(shop, shop.checkout_body({NOBODY: 1}), 409, "insufficient_stock")
    assert problem["lines"][0]["available"] == 0


@pytest.mark.parametrize("seen", [0, 2597, 2599, 2**53])
def test_refuses_price_changed(shop: Shop, seen: int) -> None:
    body = shop.checkout_body({shop.variant(price=1299): 2}, expected_total=seen)
    assert refused(shop, body, 409, "price_changed")["total"] == 2598


QUANTITIES = [
    (0, "greater_than_equal"), (-1, "greater_than_equal"), (1.5, "int_type"), (1.0, "int_type"), ("1", "int_type"),
    (True, "int_type"), (None, "int_type"), ([1], "int_type"), (10_001, "less_than_equal"),
    (2**53 + 1, "less_than_equal"), (2**63, "less_than_equal"), (2**64, "less_than_equal"),
    (-(2**63) - 1, "greater_than_equal"),
]  # fmt: skip


@pytest.mark.parametrize(("quantity", "code"), QUANTITIES)
def test_refuses_a_quantity_that_is_none(shop: Shop, quantity: Any, code: str) -> None:
    refused_at(shop, shop.checkout_body({shop.variant(): quantity}), "/lines/0/quantity", code)


def test_refuses_lines_that_merge_above_the_limit(shop: Shop) -> None:
    variant = shop.variant(stock=20_000)
    body = shop.checkout_body() | {
        "lines": [*lines_of({shop.variant(): 1, variant: 6_000}), *lines_of({variant: 4_001})]
    }
    refused_at(shop, body, "/lines/1/quantity", "less_than_equal")


def test_refuses_101_lines(shop: Shop) -> None:
    variant = shop.variant(stock=1_000)
    refused_at(shop, shop.checkout_body() | {"lines": lines_of({variant: 1}) * 101}, "/lines", "too_long")
    assert place_many(shop, variant).body["items"][0]["quantity"] == 100


def place_many(shop: Shop, variant: str) -> Reply:
    return shop.post(
        "/checkout", shop.checkout_body() | {"lines": lines_of({variant: 1}) * 100}, idempotency_key="many"
    )


UNKNOWN = [
    ((), "/colour", "extra_forbidden"), (("customer",), "/customer/colour", "extra_forbidden"),
    (("shipping_address",), "/shipping_address/colour", "extra_forbidden"),
    (("lines", 0), "/lines/0/colour", "extra_forbidden"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "pointer", "code"), UNKNOWN)
def test_refuses_a_field_that_is_not_known(shop: Shop, where: tuple[Any, ...], pointer: str, code: str) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    place: Any = body
    for step in where:
        place = place[step]
    place["colour"] = "blue"
    refused_at(shop, body, pointer, code)


WRONG = [
    ({"customer": None}, "/customer", "model_type"), ({"shipping_address": "x"}, "/shipping_address", "model_type"),
    ({"customer": {"name": "", "phone": "+306912345678"}}, "/customer/name", "string_too_short"),
    ({"customer": {"name": "E", "phone": "6912345678"}}, "/customer/phone", "phone"),
    ({"customer": {"name": "E", "phone": "+306912345678", "email": "e"}}, "/customer/email", "email"),
    ({"notes": "x" * 2_001}, "/notes", "string_too_long"), ({"metadata": []}, "/metadata", "dict_type"),
    ({"expected_total": -1}, "/expected_total", "greater_than_equal"),
    ({"expected_total": 1.0}, "/expected_total", "int_type"),
    ({"coupon_code": ""}, "/coupon_code", "string_too_short"), ({"lines": {}}, "/lines", "list_type"),
    ({"lines": [{"variant_id": "1", "quantity": 1}]}, "/lines/0/variant_id", "string_pattern_mismatch"),
    ({"cart_id": "cart_1"}, "/cart_id", "string_pattern_mismatch"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointer", "code"), WRONG)
def test_refuses_what_has_not_its_form(shop: Shop, change: dict[str, Any], pointer: str, code: str) -> None:
    refused_at(shop, shop.checkout_body({shop.variant(): 1}) | change, pointer, code)


@pytest.mark.parametrize("missing", ["customer", "shipping_address"])
def test_refuses_without_buyer_or_address(shop: Shop, missing: str) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    del body[missing]
    refused_at(shop, body, f"/{missing}", "missing")


def test_refuses_a_body_that_is_too_large_or_none(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    just = json.dumps(body | {"metadata": {"x": ""}})
    padded = json.dumps(body | {"metadata": {"x": "x" * (256 * 1024 - len(just))}})
    assert shop.post("/checkout", padded, idempotency_key="full").status == 201
    refused(shop, padded + " ", 413, "payload_too_large")
    refused(shop, json.dumps(body), 415, "unsupported_media_type", headers={"content-type": "text/plain"})
    refused(shop, "{", 400, "malformed_json")
    refused_at(shop, "[]", "", "object")


WORDS = {"el": "απόθεμα", "tr": "stok", "ne": "मौज्दात", "en": "stock"}


@pytest.mark.parametrize("language", ["el", "tr", "ne", "en"])
def test_refuses_insufficient_stock_in_the_buyers_language(shop: Shop, language: str) -> None:
    body = shop.checkout_body({shop.variant(stock=0): 1})
    problem = refused(shop, body, 409, "insufficient_stock", headers={"accept-language": f"{language}-XX, en;q=0.5"})
    assert WORDS[language] in problem["detail"].lower()

"""POST /carts."""

import hashlib
import re
from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.shop import Reply, Shop

NOBODY = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def create(shop: Shop, lines: dict[str, int] | None = None, **sent: Any) -> Reply:
    return shop.post("/carts", {} if lines is None else {"items": lines_of(lines)}, **sent)


def test_creates_an_empty_cart_for_a_guest(shop: Shop) -> None:
    reply = create(shop)
    cart = reply.body
    assert reply.status == 201
    assert (reply.headers["location"], reply.headers["etag"]) == (f"/carts/{cart['id']}", '"1"')
    assert re.fullmatch("cart_[0-7][0-9a-hjkmnp-tv-z]{25}", cart["id"])
    assert (cart["status"], cart["currency"], cart["items"], cart["subtotal"], cart["version"]) == (
        "ACTIVE", None, [], 0, 1,
    )  # fmt: skip
    assert list(cart) == ["id", "status", "currency", "items", "subtotal", "expires_at", "version", "token"]
    assert len(cart["token"]) == 43, "256 bits"
    assert shop.rows("SELECT token_hash, api_key_id FROM carts") == [
        (hashlib.sha256(cart["token"].encode()).hexdigest(), None)
    ]


def test_creates_a_cart_with_items_in_their_order(shop: Shop) -> None:
    first, second = shop.variant(price=100, title="A"), shop.variant(price=30, title="B", stock=2)
    body = {"items": [*lines_of({second: 1}), *lines_of({first: 2}), *lines_of({second: 3})]}
    cart = shop.post("/carts", body).body
    assert [(item["title"], item["quantity"], item["unit_price"], item["total"]) for item in cart["items"]] == [
        ("B", 4, 30, 120), ("A", 2, 100, 200),
    ]  # fmt: skip
    assert [item["available"] for item in cart["items"]] == [2, 10], "a cart may want more than there is"
    assert (cart["currency"], cart["subtotal"]) == ("EUR", 320)


def test_an_api_keys_cart_has_no_token(shop: Shop) -> None:
    key = shop.api_key()
    cart = create(shop, api_key=key).body
    assert cart["token"] is None
    assert shop.rows("SELECT token_hash, api_key_id IS NOT NULL FROM carts") == [(None, 1)]
    assert shop.get(f"/carts/{cart['id']}", api_key=key).status == 200


def test_a_replay_shows_no_token(shop: Shop) -> None:
    variant = shop.variant()
    first = create(shop, {variant: 1}, idempotency_key="key")
    with shop.unchanged():
        again = create(shop, {variant: 1}, idempotency_key="key")
    assert (again.status, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.body == {**first.body, "token": None}
    assert {name: again.headers[name] for name in ("location", "etag")} == {
        name: first.headers[name] for name in ("location", "etag")
    }
    kept = shop.one("SELECT answer FROM idempotency_keys")
    assert first.body["token"] not in kept
    assert kept.replace('"token":null', f'"token":"{first.body["token"]}"') == first.text


def test_an_empty_carts_replay_too(shop: Shop) -> None:
    first, again = create(shop, idempotency_key="key"), create(shop, idempotency_key="key")
    assert again.body == {**first.body, "token": None}
    assert shop.one("SELECT count(*) FROM carts") == 1


def test_refuses_another_body_under_the_same_key(shop: Shop) -> None:
    variant = shop.variant()
    create(shop, {variant: 1}, idempotency_key="key")
    with shop.unchanged():
        assert create(shop, {variant: 2}, idempotency_key="key").body["code"] == "idempotency_key_reused"


def test_two_guests_have_two_tokens(shop: Shop) -> None:
    assert len({guest(shop).token for _ in range(20)}) == 20


def test_at_most_one_read_and_one_batch(shop: Shop) -> None:
    many = {shop.variant(): 1 for _ in range(100)}
    assert 'desc="1"' in create(shop).headers["server-timing"], "a guest's empty cart needs nothing read"
    assert 'desc="2"' in create(shop, many, api_key=shop.admin, idempotency_key="k").headers["server-timing"]


def refused(shop: Shop, lines: dict[str, Any], status: int, code: str) -> Any:
    with shop.unchanged():
        reply = create(shop, lines)
    assert (reply.status, reply.body["code"]) == (status, code)
    return reply.body


@pytest.mark.parametrize("table", [None, "products", "variants"])
def test_refuses_unknown_variant(shop: Shop, table: str | None) -> None:
    variant = NOBODY
    if table:
        variant = shop.variant()
        shop.execute(f"UPDATE {table} SET deleted_at = ?", shop.now)
    assert refused(shop, {shop.variant(): 1, variant: 1}, 422, "unknown_variant")["variant_id"] == variant


@pytest.mark.parametrize("how", [{"status": "DRAFT"}, {"policy": "DENY"}])
def test_refuses_variant_not_for_sale(shop: Shop, how: Any) -> None:
    refused(shop, {shop.variant(**how): 1}, 409, "variant_not_for_sale")


def test_refuses_mixed_currency(shop: Shop) -> None:
    refused(shop, {shop.variant(): 1, shop.variant(currency="USD"): 1}, 422, "mixed_currency")


def test_refuses_too_many_pieces_or_lines(shop: Shop) -> None:
    variant = shop.variant()
    for items, pointer in (
        (lines_of({variant: 10_001}), "/items/0/quantity"),
        (lines_of({variant: 0}), "/items/0/quantity"),
        (lines_of({variant: 10_000}) * 2, "/items/0/quantity"),
        (lines_of({variant: 1}) * 101, "/items"),
    ):
        with shop.unchanged():
            reply = shop.post("/carts", {"items": items})
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)


def test_refuses_a_field_that_is_not_known(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.post("/carts", {"status": "ACTIVE"}).status == 422
        assert create(shop, api_key="sk_unknown").status == 401

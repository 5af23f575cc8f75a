"""PATCH /variants/{variant}."""

from typing import Any

import pytest

from tests.functions.catalog.support import product
from tests.shop import Reply, Shop

UNKNOWN = "variant_01kaktq2m8e8q8k3v9m1c4x7zd"


def update(shop: Shop, variant: str, body: Any, version: int | None = 1, **sent: Any) -> Reply:
    return shop.patch_(f"/variants/{variant}", body, **{"api_key": shop.admin, "if_match": version, **sent})


def ids(made: Any) -> list[str]:
    return [variant["id"] for variant in made["variants"]]


def test_changes_what_is_sent_and_nothing_else(shop: Shop) -> None:
    made = product(shop, variants=[{"size": "S", "weight_grams": 5, "attributes": {"a": 1}}, {"size": "M"}])
    first, second = made["variants"]
    reply = update(shop, second["id"], {"title": "Medium", "weight_grams": 7})
    assert reply.status == 200
    assert reply.body == {**second, "title": "Medium", "weight_grams": 7}
    assert reply.headers["etag"] == '"2"'
    assert reply.headers["server-timing"].endswith('desc="2"')
    shown = shop.get(f"/products/{made['id']}").body
    assert (shown["variants"], shown["version"]) == ([first, reply.body], 2)
    shop.checked()


def test_changes_everything_there_is_and_takes_away(shop: Shop) -> None:
    made = product(shop, variants=[{}, {"size": "M"}])
    body = {
        "sku": "N", "title": "T", "size": "L", "attributes": {"b": [None]}, "weight_grams": 3, "price": 4,
        "compare_at_price": 5,
    }  # fmt: skip
    reply = update(shop, ids(made)[1], {**body, "low_stock_threshold": 0})
    assert {name: reply.body[name] for name in body} == body
    assert shop.rows("SELECT low_stock_threshold FROM inventory ORDER BY variant_id") == [(5,), (0,)]
    nulls = {"size": None, "weight_grams": None, "compare_at_price": None}
    again = update(shop, ids(made)[1], nulls, 2).body
    assert again == {**reply.body, **nulls}
    assert shop.rows("SELECT low_stock_threshold FROM inventory ORDER BY variant_id") == [(5,), (0,)]


def test_moves_the_primary_mark(shop: Shop) -> None:
    made = product(shop, price=100, variants=[{"size": "S"}, {"size": "M", "price": 150}])
    reply = update(shop, ids(made)[1], {"is_primary": True})
    assert (reply.status, reply.body["is_primary"]) == (200, True)
    shown = shop.get(f"/products/{made['id']}").body
    assert [one["is_primary"] for one in shown["variants"]] == [False, True]
    assert shown["price"] == 150
    assert update(shop, ids(made)[1], {"is_primary": True}, 2).status == 200
    assert update(shop, ids(made)[0], {"is_primary": False}, 3).status == 200
    shop.checked()


def test_the_product_follows_its_primary_variants_price(shop: Shop) -> None:
    made = product(shop, price=100, variants=[{"size": "S"}, {"size": "M"}])
    update(shop, ids(made)[1], {"price": 1})
    assert shop.get(f"/products/{made['id']}").body["price"] == 100
    update(shop, ids(made)[0], {"price": 90, "compare_at_price": 100}, 2)
    shown = shop.get(f"/products/{made['id']}").body
    assert (shown["price"], shown["compare_at_price"]) == (90, 100)


def test_nothing_sent_changes_nothing(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, ids(made)[0], {})
    assert (reply.status, reply.body, reply.headers["etag"]) == (200, made["variants"][0], '"1"')


def test_the_price_is_what_a_checkout_takes(shop: Shop) -> None:
    variant = shop.variant(price=1000)
    assert update(shop, variant, {"price": 700}).status == 200
    assert shop.order({variant: 1})["total"] == 700


def test_refuses_already_exists(shop: Shop) -> None:
    made = product(shop, variants=[{"sku": "A"}, {"sku": "B"}])
    with shop.unchanged():
        reply = update(shop, ids(made)[1], {"sku": "A"})
    assert (reply.status, reply.body["code"]) == (409, "already_exists")
    assert [error["pointer"] for error in reply.body["errors"]] == ["/sku"]
    assert update(shop, ids(made)[1], {"sku": "B"}).status == 200


def test_refuses_primary_variant_required(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    with shop.unchanged():
        reply = update(shop, ids(made)[0], {"is_primary": False})
    assert (reply.status, reply.body["code"]) == (409, "primary_variant_required")


@pytest.mark.parametrize(
    "body", [{"sku": None}, {"title": ""}, {"price": None}, {"is_primary": None}, {"available": 3}, {"product_id": "x"}]
)
def test_refuses_invalid(shop: Shop, body: dict[str, Any]) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, ids(made)[0], body)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, f"/{next(iter(body))}")


def test_refuses_stale_version(shop: Shop) -> None:
    made = product(shop, variants=[{}, {}])
    assert update(shop, ids(made)[0], {"price": 5}).status == 200
    with shop.unchanged():
        reply = update(shop, ids(made)[1], {"price": 5})
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_precondition_required(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        assert update(shop, ids(made)[0], {"price": 5}, None).status == 428


def test_refuses_not_found(shop: Shop) -> None:
    made = product(shop)
    shop.delete(f"/products/{made['id']}", api_key=shop.admin, if_match=1)
    with shop.unchanged():
        assert update(shop, ids(made)[0], {"price": 5}, 2).status == 404
        assert update(shop, UNKNOWN, {"price": 5}).status == 404


def test_refuses_forbidden(shop: Shop) -> None:
    made = product(shop)
    key = shop.api_key("products:read")
    with shop.unchanged():
        assert update(shop, ids(made)[0], {"price": 5}, api_key=key).status == 403
        assert update(shop, ids(made)[0], {"price": 5}, api_key=None).status == 401

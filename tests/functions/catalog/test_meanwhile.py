"""Somebody else writes between the read and the batch of a change: the guards see it, and the line is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engines.homes import database_class
from tests.functions.catalog.support import category, create, producer, product
from tests.shop import Shop

Meanwhile = Callable[..., None]


@pytest.fixture
def meanwhile(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """`meanwhile(sql, *values)`: another connection runs it before the next batch, once."""
    waiting: list[tuple[str, tuple[Any, ...]]] = []
    batch = database_class().batch

    async def late(self: Any, statements: Any) -> Any:
        while waiting:
            sql, values = waiting.pop()
            shop.execute(sql, *values)
        return await batch(self, statements)

    monkeypatch.setattr(database_class(), "batch", late)
    return lambda sql, *values: waiting.append((sql, values))


BUMP = "UPDATE products SET version = version + 1 WHERE id = ?"
GONE = "UPDATE {} SET deleted_at = updated_at WHERE id = ?"


@pytest.mark.parametrize("kind", ["categories", "producers"])
def test_what_a_new_product_refers_to_goes(shop: Shop, meanwhile: Meanwhile, kind: str) -> None:
    made = category(shop, "food") if kind == "categories" else producer(shop, "apiary")
    meanwhile(GONE.format(kind), made)
    reply = create(shop, **({"category_ids": [made]} if kind == "categories" else {"producer_id": made}))
    assert (reply.status, reply.body["code"]) == (422, "missing_reference")
    assert shop.one("SELECT count(*) FROM products") == 0


def test_what_a_changed_product_refers_to_goes(shop: Shop, meanwhile: Meanwhile) -> None:
    made, food = product(shop), category(shop, "food")
    meanwhile(GONE.format("categories"), food)
    reply = shop.patch_(f"/products/{made['id']}", {"category_ids": [food]}, api_key=shop.admin, if_match=1)
    assert (reply.status, reply.body["code"]) == (422, "missing_reference")
    assert shop.one("SELECT count(*) FROM product_categories") == 0


def test_a_slug_that_was_sent_is_taken(shop: Shop, meanwhile: Meanwhile) -> None:
    other = product(shop, "Other")
    meanwhile("UPDATE products SET slug = 'wanted' WHERE id = ?", other["id"])
    reply = create(shop, slug="wanted")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (409, "/slug")


def test_a_slug_and_a_sku_that_were_made_are_taken(shop: Shop, meanwhile: Meanwhile) -> None:
    other = product(shop, "Other")
    meanwhile("UPDATE products SET slug = 'thyme-honey' WHERE id = ?", other["id"])
    meanwhile("UPDATE variants SET sku = 'THYME-HONEY' WHERE product_id = ?", other["id"])
    reply = create(shop)
    assert reply.status == 201
    assert reply.headers["server-timing"].endswith('desc="4"')
    made = reply.body
    assert made["slug"] == f"thyme-honey-{made['id'][-8:]}"
    assert made["variants"][0]["sku"] == f"THYME-HONEY-{made['variants'][0]['id'][-8:]}".upper()


def test_a_sku_of_a_listed_variant_is_taken(shop: Shop, meanwhile: Meanwhile) -> None:
    other = product(shop, "Other")
    meanwhile("UPDATE variants SET sku = 'B' WHERE product_id = ?", other["id"])
    reply = create(shop, variants=[{"sku": "A"}, {"sku": "B"}])
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (409, "/variants/1/sku")


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("PATCH", "product", {"price": 1}),
        ("DELETE", "product", None),
        ("PATCH", "variant", {"price": 1}),
        ("DELETE", "variant", None),
        ("POST", "variants", {}),
    ],
)
def test_the_product_was_changed(shop: Shop, meanwhile: Meanwhile, method: str, what: str, body: Any) -> None:
    made = product(shop, variants=[{}, {}])
    target = f"/variants/{made['variants'][1]['id']}" if what == "variant" else f"/products/{made['id']}"
    target += "/variants" if what == "variants" else ""
    meanwhile(BUMP, made["id"])
    before = shop.rows("SELECT * FROM variants")
    reply = shop.request(method, target, body, api_key=shop.admin, if_match=1)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")
    assert shop.rows("SELECT * FROM variants") == before
    meanwhile(BUMP, made["id"])
    again = shop.request(method, target, body, api_key=shop.admin, if_match="*")
    assert again.status < 300, again.text
    assert again.headers["server-timing"].endswith('desc="4"')
    assert shop.one("SELECT version FROM products") == 4


def test_a_variant_is_added_to_whatever_the_product_is_by_then(shop: Shop, meanwhile: Meanwhile) -> None:
    made = product(shop)
    meanwhile("UPDATE products SET version = version + 1, price = 5 WHERE id = ?", made["id"])
    reply = shop.post(f"/products/{made['id']}/variants", {}, api_key=shop.admin)
    assert (reply.status, reply.body["price"], reply.headers["etag"]) == (201, 5, '"3"')


def test_the_product_is_deleted(shop: Shop, meanwhile: Meanwhile) -> None:
    made = product(shop)
    meanwhile(GONE.format("products"), made["id"])
    reply = shop.patch_(f"/products/{made['id']}", {"price": 1}, api_key=shop.admin, if_match="*")
    assert (reply.status, reply.body["code"]) == (404, "not_found")


@pytest.mark.parametrize("kind", ["products", "variants"])
def test_a_change_of_nothing_still_holds_its_version(shop: Shop, meanwhile: Meanwhile, kind: str) -> None:
    made = product(shop)
    target = f"/products/{made['id']}" if kind == "products" else f"/variants/{made['variants'][0]['id']}"
    meanwhile(BUMP, made["id"])
    assert shop.patch_(target, {}, api_key=shop.admin, if_match=1).status == 412
    meanwhile(GONE.format("products"), made["id"])
    assert shop.patch_(target, {}, api_key=shop.admin, if_match=2).status == 404

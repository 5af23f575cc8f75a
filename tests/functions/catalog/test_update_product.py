"""PATCH /products/{product}."""

from typing import Any

import pytest

from tests.functions.catalog.support import category, collection, listed, medium, producer, product
from tests.shop import Reply, Shop

UNKNOWN = "01kaktq2m8e8q8k3v9m1c4x7zd"


def update(shop: Shop, key: str, body: Any, version: int | None = 1, **sent: Any) -> Reply:
    return shop.patch_(f"/products/{key}", body, **{"api_key": shop.admin, "if_match": version, **sent})


def test_changes_what_is_sent_and_nothing_else(shop: Shop) -> None:
    made = product(
        shop, summary="Dark", attributes={"a": 1}, search_keywords=["bees"], category_ids=[category(shop, "food")]
    )
    picture = medium(shop, made["id"])
    shop.clock(5)
    reply = update(shop, made["id"], {"description": "New.", "status": "ARCHIVED"})
    assert reply.status == 200
    assert reply.headers["etag"] == '"2"'
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert reply.body["updated_at"] > made["updated_at"]
    assert [one["id"] for one in reply.body["media"]] == [picture]
    changed = {"description": "New.", "status": "ARCHIVED", "version": 2, "updated_at": reply.body["updated_at"]}
    assert {**reply.body, "media": []} == {**made, **changed}
    assert shop.get(f"/products/{made['id']}", api_key=shop.admin).body == reply.body
    shop.checked()


def test_changes_everything_there_is(shop: Shop) -> None:
    made = product(shop, category_ids=[category(shop, "old")], collection_ids=[collection(shop, "was")])
    body: dict[str, Any] = {
        "title": "Pine honey",
        "slug": "pine",
        "price": 1500,
        "compare_at_price": 1700,
        "description": "D",
        "summary": "S",
        "status": "DRAFT",
        "inventory_policy": "DENY",
        "producer_id": producer(shop, "apiary"),
        "search_keywords": ["forest"],
        "attributes": {"b": [1, 2.5, None, {"c": "é"}]},
    }
    links = {
        "category_ids": [category(shop, "first"), category(shop, "second")],
        "collection_ids": [collection(shop, "spring")],
    }
    reply = update(shop, "thyme-honey", {**body, **links, "sku": "PINE"})
    assert reply.status == 200, reply.text
    assert {name: reply.body[name] for name in body} == body
    assert {one["slug"]: one["is_primary"] for one in reply.body["categories"]} == {"first": True, "second": False}
    assert [one["slug"] for one in reply.body["collections"]] == ["spring"]
    assert shop.one("SELECT sku FROM products") == "PINE"
    (variant,) = reply.body["variants"]
    assert (variant["title"], variant["price"], variant["compare_at_price"]) == ("Pine honey", 1500, 1700)
    emptied: dict[str, Any] = {
        "producer_id": None,
        "compare_at_price": None,
        "sku": None,
        "category_ids": [],
        "collection_ids": [],
    }
    again = update(shop, made["id"], emptied, 2).body
    assert (again["producer_id"], again["compare_at_price"]) == (None, None)
    assert again["categories"] == again["collections"] == []
    assert again["variants"][0]["compare_at_price"] is None


def test_variants_that_cost_what_the_product_cost_follow_its_price(shop: Shop) -> None:
    made = product(shop, price=2000, variants=[{"size": "S"}, {"size": "M"}, {"size": "L", "price": 2200}])
    reply = update(shop, made["id"], {"price": 2500})
    assert [variant["price"] for variant in reply.body["variants"]] == [2500, 2500, 2200]
    assert [variant["title"] for variant in reply.body["variants"]] == ["S", "M", "L"]
    order = shop.get(f"/products/{made['id']}").body
    assert order == reply.body


def test_nothing_sent_changes_nothing(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, made["id"], {})
    assert (reply.status, reply.body, reply.headers["etag"]) == (200, made, '"1"')


def test_any_version_will_do_for_a_star(shop: Shop) -> None:
    made = product(shop)
    assert update(shop, made["id"], {"title": "A"}, if_match="*").status == 200
    assert update(shop, made["id"], {"title": "B"}, if_match="*").body["version"] == 3


def test_its_own_slug_is_not_taken(shop: Shop) -> None:
    made = product(shop, sku="H")
    assert update(shop, made["id"], {"slug": made["slug"], "sku": "H"}).status == 200


def test_what_is_archived_leaves_the_list_and_comes_back(shop: Shop) -> None:
    made = product(shop)
    update(shop, made["id"], {"status": "ARCHIVED"})
    assert listed(shop) == []
    update(shop, made["id"], {"status": "ACTIVE"}, 2)
    assert listed(shop) == ["Thyme honey"]


@pytest.mark.parametrize(("body", "pointer"), [({"slug": "taken"}, "/slug"), ({"sku": "TAKEN"}, "/sku")])
def test_refuses_already_exists(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    product(shop, "Other", slug="taken", sku="TAKEN")
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, made["id"], body)
    assert (reply.status, reply.body["code"]) == (409, "already_exists")
    assert [error["pointer"] for error in reply.body["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"producer_id": f"producer_{UNKNOWN}"}, "/producer_id"),
        ({"category_ids": [f"category_{UNKNOWN}"]}, "/category_ids/0"),
        ({"collection_ids": [f"collection_{UNKNOWN}"]}, "/collection_ids/0"),
    ],
)
def test_refuses_missing_reference(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, made["id"], body)
    assert (reply.status, reply.body["code"]) == (422, "missing_reference")
    assert [error["pointer"] for error in reply.body["errors"]] == [pointer]


@pytest.mark.parametrize(
    "body",
    [
        {"currency": "USD"},
        {"currency": "EUR"},
        {"title": None},
        {"slug": None},
        {"price": None},
        {"status": None},
        {"attributes": None},
        {"category_ids": None},
        {"variants": []},
        {"version": 4},
        {"price": 1.5},
    ],
)
def test_refuses_invalid(shop: Shop, body: dict[str, Any]) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, made["id"], body)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == f"/{next(iter(body))}"


def test_refuses_stale_version(shop: Shop) -> None:
    made = product(shop)
    assert update(shop, made["id"], {"price": 1}).status == 200
    with shop.unchanged():
        reply = update(shop, made["id"], {"price": 2})
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_refuses_precondition_required(shop: Shop) -> None:
    made = product(shop)
    with shop.unchanged():
        reply = update(shop, made["id"], {"price": 2}, None)
    assert (reply.status, reply.body["code"]) == (428, "precondition_required")


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        assert update(shop, f"product_{UNKNOWN}", {"price": 2}).status == 404
        assert update(shop, "nothing", {"price": 2}).status == 404


def test_refuses_forbidden(shop: Shop) -> None:
    made = product(shop)
    key = shop.api_key("products:create")
    with shop.unchanged():
        assert update(shop, made["id"], {"price": 2}, api_key=key).status == 403
        assert update(shop, made["id"], {"price": 2}, api_key=None).status == 401

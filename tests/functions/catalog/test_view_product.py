"""GET /products/{product}."""

import pytest

from tests.functions.catalog.support import (
    PRODUCT_MEMBERS,
    VARIANT_MEMBERS,
    category,
    collection,
    hold,
    medium,
    producer,
    product,
)
from tests.shop import Shop


def test_shows_a_product_by_id_and_by_slug(shop: Shop) -> None:
    made = product(
        shop,
        summary="Dark",
        description="From Crete.",
        category_ids=[category(shop, "honey")],
        collection_ids=[collection(shop, "spring")],
        producer_id=producer(shop, "apiary"),
        search_keywords=["bees"],
        variants=[{"size": "S"}, {"size": "M"}],
    )
    picture = medium(shop, made["id"], is_primary=1)
    reply = shop.get(f"/products/{made['id']}")
    assert reply.status == 200
    assert set(reply.body) == PRODUCT_MEMBERS
    assert all(set(variant) == VARIANT_MEMBERS for variant in reply.body["variants"])
    assert [one["id"] for one in reply.body["media"]] == [picture]
    assert {**reply.body, "media": []} == made
    assert shop.get("/products/thyme-honey").body == reply.body
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_shows_what_is_available_of_each_variant(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    product_id = shop.one("SELECT product_id FROM variants")
    hold(shop, variant, 3, expires_in=60)
    assert shop.get(f"/products/{product_id}").body["variants"][0]["available"] == 2
    shop.clock(61)
    assert shop.get(f"/products/{product_id}").body["variants"][0]["available"] == 5


@pytest.mark.parametrize("status", ["DRAFT", "ARCHIVED"])
def test_what_is_not_active_is_shown_to_staff_alone(shop: Shop, status: str) -> None:
    made = product(shop, status=status)
    target = f"/products/{made['id']}"
    assert shop.get(target).status == 404
    assert shop.get(target, api_key=shop.api_key("stock:adjust")).status == 404
    assert shop.get(target, api_key=shop.api_key("products:read")).body == made
    assert shop.get("/products/thyme-honey", api_key=shop.admin).body == made


def test_collections_that_are_not_active_are_shown_to_staff_alone(shop: Shop) -> None:
    spring, secret = collection(shop, "spring"), collection(shop, "secret", status="DRAFT")
    collection(shop, "other")
    made = product(shop, collection_ids=[secret, spring])
    target = f"/products/{made['id']}"
    assert [one["slug"] for one in shop.get(target).body["collections"]] == ["spring"]
    key = shop.api_key("stock:adjust")
    assert [one["slug"] for one in shop.get(target, api_key=key).body["collections"]] == ["spring"]
    shown = shop.get(target, api_key=shop.admin).body["collections"]
    assert [one["id"] for one in shown] == sorted([spring, secret])


@pytest.mark.parametrize(
    "key", ["product_01kaktq2m8e8q8k3v9m1c4x7zd", "nothing", "%27", "a%20b", "Thyme-Honey", "%F0%9F%98%80"]
)
def test_refuses_not_found(shop: Shop, key: str) -> None:
    product(shop)
    reply = shop.get(f"/products/{key}")
    assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_a_deleted_product_is_gone_for_everybody(shop: Shop) -> None:
    made = product(shop)
    shop.delete(f"/products/{made['id']}", api_key=shop.admin, if_match=1)
    assert shop.get(f"/products/{made['id']}").status == 404
    assert shop.get(f"/products/{made['id']}", api_key=shop.admin).status == 404
    assert shop.get("/products/thyme-honey", api_key=shop.admin).status == 404


def test_refuses_an_unknown_key(shop: Shop) -> None:
    product(shop)
    assert shop.get("/products/thyme-honey", api_key="sk_unknown").status == 401

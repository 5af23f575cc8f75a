"""POST /products."""

from typing import Any

import pytest

from tests.functions.catalog.support import (
    PRODUCT_MEMBERS,
    VARIANT_MEMBERS,
    category,
    collection,
    create,
    listed,
    producer,
    product,
)
from tests.shop import Shop

UNKNOWN = "01kaktq2m8e8q8k3v9m1c4x7zd"


def test_makes_a_product_with_one_variant_of_its_own(shop: Shop) -> None:
    reply = create(shop, "Θυμαρίσιο Μέλι", 1299, compare_at_price=1499)
    assert reply.status == 201
    made = reply.body
    assert set(made) == PRODUCT_MEMBERS
    assert (made["slug"], made["status"], made["currency"], made["version"]) == ("thymarisio-meli", "DRAFT", "EUR", 1)
    assert reply.headers["location"] == f"/products/{made['id']}"
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["server-timing"].endswith('desc="2"')
    (variant,) = made["variants"]
    assert set(variant) == VARIANT_MEMBERS
    assert variant == {
        "id": variant["id"],
        "product_id": made["id"],
        "sku": "THYMARISIO-MELI",
        "title": "Θυμαρίσιο Μέλι",
        "size": None,
        "attributes": {},
        "weight_grams": None,
        "price": 1299,
        "compare_at_price": 1499,
        "available": 0,
        "is_primary": True,
    }
    assert shop.rows("SELECT stock, reserved, low_stock_threshold FROM inventory") == [(0, 0, 5)]
    assert shop.get(f"/products/{made['id']}", api_key=shop.admin).body == made
    shop.checked()


def test_makes_everything_that_is_sent(shop: Shop) -> None:
    honey, food = category(shop, "honey"), category(shop, "food")
    spring, maker = collection(shop, "spring", status="DRAFT"), producer(shop, "apiary")
    made = product(
        shop,
        slug="thyme-500",
        sku="THYME",
        description="From Crete.",
        summary="Dark.",
        inventory_policy="CONTINUE",
        currency="KWD",
        producer_id=maker,
        search_keywords=["bees"],
        attributes={"origin": {"island": "Crete"}, "organic": True, "acidity": 0.25, "notes": None},
        category_ids=[honey, food, honey],
        collection_ids=[spring],
        variants=[
            {"size": "250 g", "weight_grams": 250, "low_stock_threshold": 0},
            {"sku": "BIG", "title": "Big jar", "price": 2000, "attributes": {"lid": "gold"}},
            {"compare_at_price": 1500},
        ],
    )
    assert made["currency"] == "KWD"
    assert made["inventory_policy"] == "CONTINUE"
    assert made["attributes"] == {"origin": {"island": "Crete"}, "organic": True, "acidity": 0.25, "notes": None}
    assert {one["slug"]: one["is_primary"] for one in made["categories"]} == {"honey": True, "food": False}
    assert [one["slug"] for one in made["collections"]] == ["spring"]
    assert [
        (one["sku"], one["title"], one["price"], one["compare_at_price"], one["is_primary"]) for one in made["variants"]
    ] == [
        ("THYME-500-250-G", "250 g", 1299, None, True),
        ("BIG", "Big jar", 2000, None, False),
        ("THYME-500-3", "Thyme honey", 1299, 1500, False),
    ]
    assert shop.rows("SELECT low_stock_threshold FROM inventory ORDER BY variant_id") == [(0,), (5,), (5,)]
    assert shop.one("SELECT sku FROM products") == "THYME"
    for word in ("thyme", "DARK", "bees", "apiary", "jar", "THYME-500-250"):
        assert listed(shop, f"q={word}") == ["Thyme honey"]


def test_the_first_answer_again_for_the_same_key(shop: Shop) -> None:
    first = shop.post("/products", {"title": "Tea", "price": 1}, api_key=shop.admin, idempotency_key="k")
    with shop.unchanged():
        again = shop.post("/products", {"title": "Tea", "price": 1}, api_key=shop.admin, idempotency_key="k")
    assert (again.status, again.text, again.headers["idempotency-replayed"]) == (201, first.text, "true")
    assert (again.headers["location"], again.headers["etag"]) == (first.headers["location"], '"1"')


def test_a_slug_and_sku_made_here_evade_those_that_exist(shop: Shop) -> None:
    first, second, third = (product(shop, "Olive oil", sku=sku) for sku in (None, None, "OIL"))
    assert first["slug"] == "olive-oil"
    assert second["slug"] == f"olive-oil-{second['id'][-8:]}"
    assert second["variants"][0]["sku"] == f"OLIVE-OIL-{second['variants'][0]['id'][-8:]}".upper()
    assert third["variants"][0]["sku"] == "OIL"


@pytest.mark.parametrize(
    ("title", "slug"),
    [("Çay İçin Şeker", "cay-icin-seker"), ("दार्जीलिङ चिया", "daarjiling-chiyaa"), ("Борщ", "borshch")],
)
def test_titles_are_spelled_out_in_the_slug(shop: Shop, title: str, slug: str) -> None:
    assert product(shop, title)["slug"] == slug


def test_a_title_without_letters_of_ours_gives_the_end_of_the_id(shop: Shop) -> None:
    made = product(shop, "日本茶 😀")
    assert made["slug"] == f"product-{made['id'][-8:]}"


def test_the_slug_and_sku_of_a_deleted_product_are_free(shop: Shop) -> None:
    first = product(shop, slug="honey", sku="H")
    assert shop.delete(f"/products/{first['id']}", api_key=shop.admin, if_match=1).status == 204
    assert product(shop, slug="honey", sku="H")["slug"] == "honey"


def test_the_shops_currency_is_the_default(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.settings import settings

    monkeypatch.setenv("DEFAULT_CURRENCY", "NPR")
    settings.cache_clear()
    assert product(shop)["currency"] == "NPR"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"slug": "honey"}, ["/slug"]),
        ({"sku": "HONEY"}, ["/sku"]),
        ({"slug": "honey", "sku": "HONEY"}, ["/sku", "/slug"]),
        ({"variants": [{"sku": "A"}, {"sku": "JAR"}]}, ["/variants/1/sku"]),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, ["/variants/1/sku"]),
    ],
)
def test_refuses_already_exists(shop: Shop, body: dict[str, Any], pointers: list[str]) -> None:
    product(shop, "First", slug="honey", sku="HONEY", variants=[{"sku": "JAR"}])
    with shop.unchanged():
        reply = create(shop, "Second", **body)
    assert (reply.status, reply.body["code"]) == (409, "already_exists")
    assert sorted(error["pointer"] for error in reply.body["errors"]) == pointers
    assert {error["code"] for error in reply.body["errors"]} == {"already_exists"}


def test_refuses_missing_reference(shop: Shop) -> None:
    there, gone = category(shop, "there"), category(shop, "gone", deleted_at="2026-11-01T00:00:00.000Z")
    with shop.unchanged():
        reply = create(
            shop,
            producer_id=f"producer_{UNKNOWN}",
            category_ids=[there, gone],
            collection_ids=[f"collection_{UNKNOWN}"],
        )
    assert (reply.status, reply.body["code"]) == (422, "missing_reference")
    assert {error["pointer"] for error in reply.body["errors"]} == {
        "/category_ids/1",
        "/collection_ids/0",
        "/producer_id",
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": " "}, "/title"),
        ({"title": "x" * 301}, "/title"),
        ({"price": -1}, "/price"),
        ({"price": 12.5}, "/price"),
        ({"price": "12"}, "/price"),
        ({"price": 10**9 + 1}, "/price"),
        ({"slug": "Über uns"}, "/slug"),
        ({"sku": " X"}, "/sku"),
        ({"status": "LIVE"}, "/status"),
        ({"currency": "eur"}, "/currency"),
        ({"inventory_policy": "FREE"}, "/inventory_policy"),
        ({"variants": []}, "/variants"),
        ({"variants": [{}] * 101}, "/variants"),
        ({"variants": [{"weight_grams": -1}]}, "/variants/0/weight_grams"),
        ({"variants": [{"stock": 3}]}, "/variants/0/stock"),
        ({"attributes": {str(number): 1 for number in range(101)}}, "/attributes"),
        ({"category_ids": ["honey"]}, "/category_ids/0"),
        ({"version": 3}, "/version"),
    ],
)
def test_refuses_invalid(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    with shop.unchanged():
        reply = create(shop, **body)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == pointer


def test_refuses_unauthenticated(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.post("/products", {"title": "T", "price": 1}).status == 401


def test_refuses_forbidden(shop: Shop) -> None:
    key = shop.api_key("products:read", "products:update")
    with shop.unchanged():
        assert shop.post("/products", {"title": "T", "price": 1}, api_key=key).status == 403

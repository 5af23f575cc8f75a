"""GET /products: members, filters, orders, pages."""

import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.functions.catalog.support import LIST_MEMBERS, category, collection, hold, listed, medium, producer, product
from tests.shop import Shop

KEYS = {
    "newest": lambda row: (row["created_at"], row["id"]),
    "oldest": lambda row: (row["created_at"], row["id"]),
    "price": lambda row: (row["price"], row["id"]),
    "-price": lambda row: (row["price"], row["id"]),
    "title": lambda row: (row["title"], row["id"]),
}


def many(shop: Shop, count: int) -> None:
    """`count` ACTIVE products with a variant and a stock row each, with ties in every key."""
    chance = random.Random(5)
    now, ids, variants = shop.now, shop.ids("product", count), shop.ids("variant", count)
    chance.shuffle(ids)
    with shop.raw.together():
        for number, (made, variant) in enumerate(zip(ids, variants, strict=True)):
            times = {"created_at": f"2026-11-{1 + number % 7:02}T08:00:00.000Z", "updated_at": now}
            shop.insert(
                "products", id=made, slug=f"p-{number}", title=f"Title {number % 5}", status="ACTIVE",
                price=100 * (number % 6), currency="EUR", **times,
            )  # fmt: skip
            shop.insert(
                "variants", id=variant, product_id=made, sku=f"S-{number}", title="V", size="SML"[number % 3], price=1,
                is_primary=1, **times,
            )  # fmt: skip
            stock = {"variant_id": variant, "location_id": "location_00000000000000000000000000", "stock": number % 4}
            shop.insert("inventory", **stock, **times)


def walk(shop: Shop, query: str) -> list[list[dict[str, Any]]]:
    """All pages."""
    pages, target = [], f"/products?{query}"
    while True:
        reply = shop.get(target)
        assert reply.status == 200, reply.text
        pages.append(reply.body["items"])
        cursor = reply.body["next_cursor"]
        if cursor is None:
            assert "link" not in reply.headers
            return pages
        target = f"/products?{query}&cursor={cursor}"
        assert reply.headers["link"] == f'<{target}>; rel="next"'


def test_shows_the_members_of_the_contract(shop: Shop) -> None:
    kitchen, maker, spring = category(shop, "kitchen"), producer(shop, "apiary"), collection(shop, "spring")
    hidden = collection(shop, "secret", status="DRAFT")
    made = product(
        shop,
        compare_at_price=1499,
        producer_id=maker,
        category_ids=[kitchen],
        collection_ids=[spring, hidden],
        attributes={"origin": "Crete"},
    )
    second, first = medium(shop, made["id"], sort_order=2), medium(shop, made["id"], sort_order=1, is_primary=1)
    reply = shop.get("/products")
    assert reply.headers["server-timing"].endswith('desc="1"')
    (item,) = reply.body["items"]
    assert set(item) == LIST_MEMBERS
    assert item["categories"] == [{"id": kitchen, "name": "Kitchen", "slug": "kitchen", "is_primary": True}]
    assert item["collections"] == [{"id": spring, "name": "Spring", "slug": "spring"}]
    assert [one["id"] for one in item["media"]] == [first, second]
    assert item["media"][0] == {
        "id": first,
        "type": "IMAGE",
        "provider": "LOCAL",
        "url": f"/media/{first}.jpg",
        "mime_type": "image/jpeg",
        "width": 800,
        "height": 600,
        "alt": "A jar",
        "caption": "",
        "sort_order": 1,
        "is_primary": True,
    }
    shared = LIST_MEMBERS - {"available", "collections", "media"}
    assert {name: item[name] for name in shared} == {name: made[name] for name in shared}


def test_shows_nothing_but_active_products(shop: Shop) -> None:
    shop.variant(title="Draft", status="DRAFT")
    shop.variant(title="Archived", status="ARCHIVED")
    shop.variant(title="Active")
    gone = product(shop, "Gone")
    assert shop.delete(f"/products/{gone['id']}", api_key=shop.admin, if_match=1).status == 204
    assert listed(shop) == ["Active"]
    assert shop.get("/products", api_key=shop.admin).body["items"][0]["title"] == "Active"
    assert len(shop.get("/products", api_key=shop.admin).body["items"]) == 1


def test_available_is_the_stock_of_all_live_variants_and_expired_holds(shop: Shop) -> None:
    first = shop.variant(stock=5)
    product_id = shop.one("SELECT product_id FROM variants")
    second, gone = shop.variant(stock=2, product_id=product_id), shop.variant(stock=9, product_id=product_id)
    version = shop.one("SELECT version FROM products")
    assert shop.delete(f"/variants/{gone}", api_key=shop.admin, if_match=version).status == 204

    def available() -> int:
        return int(shop.get("/products").body["items"][0]["available"])

    assert available() == 7
    hold(shop, first, 3, expires_in=60)
    hold(shop, second, 2, expires_in=600)
    assert available() == 2
    shop.clock(61)
    assert available() == 5
    shop.clock(600)
    assert available() == 7


@pytest.mark.parametrize("sort", KEYS)
def test_pages_lose_and_repeat_nothing(shop: Shop, sort: str) -> None:
    many(shop, 107)
    items = [item for page in walk(shop, f"sort={sort}&limit=7") for item in page]
    assert len({item["id"] for item in items}) == len(items) == 107
    keys = [KEYS[sort](item) for item in items]
    assert keys == sorted(keys, reverse=sort in ("newest", "-price"))


@pytest.mark.parametrize("sort", KEYS)
@pytest.mark.parametrize(
    ("query", "passes"),
    [
        ("min_price=200&max_price=400", lambda number: 200 <= 100 * (number % 6) <= 400),
        ("size=M", lambda number: number % 3 == 1),
        ("in_stock=true", lambda number: number % 4 != 0),
        ("in_stock=false", lambda number: number % 4 == 0),
        ("size=S&in_stock=true&min_price=100", lambda number: number % 3 == 0 and number % 4 and number % 6),
    ],
)
def test_filtered_pages_lose_and_repeat_nothing(shop: Shop, sort: str, query: str, passes: Any) -> None:
    many(shop, 60)
    items = [item for page in walk(shop, f"sort={sort}&limit=4&{query}") for item in page]
    assert sorted(item["slug"] for item in items) == sorted(f"p-{number}" for number in range(60) if passes(number))
    keys = [KEYS[sort](item) for item in items]
    assert keys == sorted(keys, reverse=sort in ("newest", "-price"))


def test_an_api_key_pages_through_the_same_list(shop: Shop) -> None:
    many(shop, 5)
    first = shop.get("/products?limit=3", api_key=shop.admin)
    rest = shop.get(f"/products?limit=3&cursor={first.body['next_cursor']}", api_key=shop.admin)
    assert [len(reply.body["items"]) for reply in (first, rest)] == [3, 2]
    assert [reply.headers["server-timing"][-3:] for reply in (first, rest)] == ['"1"', '"2"']
    assert shop.get("/products?cursor=forged", api_key="sk_unknown").status == 401


def test_new_products_do_not_shift_the_pages(shop: Shop) -> None:
    many(shop, 10)
    first = shop.get("/products?limit=5").body
    shop.variant(title="Newer than all")
    rest = shop.get(f"/products?limit=5&cursor={first['next_cursor']}").body
    assert len({item["id"] for item in first["items"] + rest["items"]}) == 10
    assert rest["next_cursor"] is None


def test_category_takes_the_categories_below_it_with_it(shop: Shop) -> None:
    food = category(shop, "food")
    sweet = category(shop, "sweet", food)
    honey = category(shop, "honey", sweet)
    other = category(shop, "other")
    for title, ids in (("Honey", [honey]), ("Bread", [food]), ("Both", [other, sweet]), ("Soap", [other]), ("No", [])):
        product(shop, title, category_ids=ids)
    assert sorted(listed(shop, "category=food")) == ["Both", "Bread", "Honey"]
    assert sorted(listed(shop, f"category={sweet}")) == ["Both", "Honey"]
    assert listed(shop, "category=honey") == ["Honey"]
    assert listed(shop, "category=nothing") == listed(shop, f"category={shop.ids('category')[0]}") == []


def test_collection_and_producer_by_id_or_slug(shop: Shop) -> None:
    spring, secret = collection(shop, "spring"), collection(shop, "secret", status="DRAFT")
    apiary = producer(shop, "apiary")
    product(shop, "In both", collection_ids=[spring, secret], producer_id=apiary)
    product(shop, "In none")
    for query in ("collection=spring", f"collection={spring}", "producer=apiary", f"producer={apiary}"):
        assert listed(shop, query) == ["In both"]
    for query in ("collection=secret", f"collection={secret}", "producer=nobody", "collection=%27%20OR%201=1"):
        assert listed(shop, query) == []


def test_size_is_of_a_live_variant(shop: Shop) -> None:
    made = product(shop, "Shirt", variants=[{"size": "S"}, {"size": "M"}])
    product(shop, "Hat")
    assert listed(shop, "size=M") == ["Shirt"]
    shop.delete(f"/variants/{made['variants'][1]['id']}", api_key=shop.admin, if_match=1)
    assert listed(shop, "size=M") == []


def test_an_expired_hold_is_in_stock(shop: Shop) -> None:
    variant = shop.variant(stock=2, title="Last")
    hold(shop, variant, 2)
    assert (listed(shop, "in_stock=true"), listed(shop, "in_stock=false")) == ([], ["Last"])
    shop.clock(61)
    assert (listed(shop, "in_stock=true"), listed(shop, "in_stock=false")) == (["Last"], [])


def test_all_filters_together(shop: Shop) -> None:
    food, spring, apiary = category(shop, "food"), collection(shop, "spring"), producer(shop, "apiary")
    places: dict[str, Any] = {"category_ids": [food], "collection_ids": [spring], "producer_id": apiary}
    made = product(shop, "Thyme honey", variants=[{"size": "500 g"}], **places)
    adjusting = {"variant_id": made["variants"][0]["id"], "delta": 3, "reason": "receipt"}
    assert shop.post("/stock/adjustments", adjusting, api_key=shop.admin).status == 201
    product(shop, "Thyme honey", 2000, **places)
    query = f"q=honey&category=food&collection=spring&producer=apiary&size={quote('500 g')}&min_price=1&max_price=1500"
    for sort in KEYS:
        items = shop.get(f"/products?{query}&in_stock=true&sort={sort}").body["items"]
        assert [item["id"] for item in items] == [made["id"]]


def test_an_empty_shop_has_an_empty_page(shop: Shop) -> None:
    assert shop.get("/products").body == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=ten", "/limit"),
        ("sort=rating", "/sort"),
        ("sort=price;DROP", "/sort"),
        ("min_price=-1", "/min_price"),
        ("min_price=1.5", "/min_price"),
        ("max_price=9999999999", "/max_price"),
        ("in_stock=perhaps", "/in_stock"),
        ("status=DRAFT", "/status"),
        ("offset=20", "/offset"),
        (f"q={'x' * 201}", "/q"),
        ("limit=1&limit=2", "/limit"),
    ],
)
def test_refuses_invalid(shop: Shop, query: str, pointer: str) -> None:
    reply = shop.get(f"/products?{query}")
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == pointer


def test_refuses_a_forged_or_foreign_cursor(shop: Shop) -> None:
    many(shop, 10)
    cursor = shop.get("/products?limit=3&sort=price&min_price=100").body["next_cursor"]
    assert shop.get(f"/products?limit=2&sort=price&min_price=100&cursor={cursor}").status == 200
    flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for query in (
        f"limit=3&sort=price&min_price=100&cursor={flipped}",
        f"limit=3&sort=price&min_price=100&cursor={cursor[:-2]}",
        "limit=3&sort=price&min_price=100&cursor=",
        "limit=3&sort=price&min_price=100&cursor=%27",
        f"limit=3&sort=-price&min_price=100&cursor={cursor}",
        f"limit=3&sort=price&min_price=200&cursor={cursor}",
        f"limit=3&sort=price&cursor={cursor}",
        f"limit=3&sort=price&min_price=100&size=M&cursor={cursor}",
    ):
        reply = shop.get(f"/products?{query}")
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")
    mine = {"api_key": shop.admin}
    assert shop.get(f"/products?limit=3&sort=price&min_price=100&cursor={cursor}", **mine).status == 422

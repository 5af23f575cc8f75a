"""Sample data: what each profile holds, and that a second run touches nothing."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from db.helper import connect
from db.seeds import tables as seed_tables
from db.seeds.records import OPENED, TABLES, typeid
from db.seeds.seeding import Seeded, SeedError, seed
from db.seeds.tables import DEV_PRODUCTS, PROFILES, Product, tables
from domain.search import search_text
from tests.shop import LOCATION, Shop


async def sown(url: str, *profiles: str) -> list[Seeded]:
    db = await connect(url)
    try:
        return [await seed(db, profile, search_text) for profile in profiles]
    finally:
        await db.close()


def sow(shop: Shop, *profiles: str) -> list[Seeded]:
    return asyncio.get_event_loop().run_until_complete(sown(shop.url, *profiles))


def counts(shop: Shop) -> dict[str, int]:
    return {table: shop.one(f"SELECT count(*) FROM {table}") for table in TABLES}


def test_demo_is_a_shop_that_looks_real(shop: Shop) -> None:
    [done] = sow(shop, "demo")
    found = counts(shop)
    assert done.present == {"locations": 1, "producers": 3, "categories": 27, "collections": 4, "products": 65}
    assert {table: found[table] for table in done.present} == done.present
    assert found["variants"] == found["inventory"] == found["stock_moves"] == 132
    assert found["media"] == found["media_links"] == found["product_search_texts"] == 65
    assert shop.rows("SELECT DISTINCT currency, status FROM products") == [("EUR", "ACTIVE")]
    assert shop.one("SELECT max(level) FROM categories") == 2
    assert {size for (size,) in shop.rows("SELECT DISTINCT size FROM variants")} >= {"S", "M", "L", "250 ml", "1 l"}
    assert shop.one("SELECT count(*) FROM products WHERE compare_at_price > price") >= 3
    assert {policy for (policy,) in shop.rows("SELECT DISTINCT inventory_policy FROM products")} == {
        "TRACK",
        "DENY",
        "CONTINUE",
    }
    shop.checked()


def test_demo_has_shelves_that_are_low_and_one_that_is_empty(shop: Shop) -> None:
    sow(shop, "demo")
    assert shop.one("SELECT count(*) FROM inventory WHERE stock <= low_stock_threshold AND stock > 0") >= 5
    empty = """
        SELECT p.slug FROM products p WHERE p.inventory_policy = 'TRACK'
        AND (SELECT sum(i.stock) FROM variants v JOIN inventory i ON i.variant_id = v.id WHERE v.product_id = p.id) = 0
    """
    assert shop.rows(empty) == [("cut-comb-honey",)]


def test_every_product_is_whole(shop: Shop) -> None:
    sow(shop, "demo")
    wrong = """
        SELECT p.slug FROM products p
        WHERE p.producer_id IS NULL OR length(p.summary) < 10 OR length(p.description) < 40
        OR (SELECT count(*) FROM variants v WHERE v.product_id = p.id AND v.is_primary = 1 AND v.price = p.price) <> 1
        OR (SELECT count(*) FROM product_categories c WHERE c.product_id = p.id AND c.is_primary = 1) <> 1
        OR p.description LIKE ' %' OR p.description LIKE '%  %' OR json_array_length(p.search_keywords) = 0
    """
    assert shop.rows(wrong) == []
    assert (
        shop.one("SELECT count(*) FROM collections c WHERE c.id NOT IN (SELECT collection_id FROM product_collections)")
        == 0
    )
    leaves = (
        "SELECT slug FROM categories c WHERE c.id NOT IN (SELECT parent_id FROM categories WHERE parent_id IS NOT NULL)"
    )
    assert shop.rows(f"{leaves} AND c.id NOT IN (SELECT category_id FROM product_categories)") == []


def test_stock_came_with_a_receipt(shop: Shop) -> None:
    sow(shop, "demo")
    assert shop.rows("SELECT DISTINCT reason, actor, note FROM stock_moves") == [("receipt", "seed", "opening balance")]
    wrong = (
        "SELECT 1 FROM inventory i JOIN stock_moves m ON m.variant_id = i.variant_id WHERE m.balance_after <> i.stock"
    )
    assert shop.rows(wrong) == []


def test_what_is_seeded_is_shown_and_found(shop: Shop) -> None:
    sow(shop, "demo")
    assert len(shop.get("/products?limit=100").body["items"]) == 65
    for words in ("olive oil", "ΜΕΛΙ", "zeytinyagi", "चिया", "NC-MUG"):
        assert shop.get(f"/products?q={quote(words)}").body["items"], words
    shown = shop.get("/products/valley-mug").body
    assert {(one["size"], one["available"]) for one in shown["variants"]} >= {("250 ml", 34), ("350 ml", 41)}


def test_ids_are_type_ids_and_sort_by_time() -> None:
    made = typeid("product", "valley-mug", OPENED)
    assert re.fullmatch(r"product_[0-7][0-9a-hjkmnp-tv-z]{25}", made)
    assert made == typeid("product", "valley-mug", OPENED) != typeid("product", "other", OPENED)
    value = 0
    for letter in made.removeprefix("product_"):
        value = value * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
    assert value >> 80 == round(OPENED.timestamp() * 1000)
    assert (value >> 76 & 15, value >> 62 & 3) == (7, 2)  # version and variant of a UUIDv7


@pytest.mark.parametrize("profile", PROFILES)
def test_a_second_run_changes_nothing(shop: Shop, profile: str) -> None:
    sow(shop, profile)
    with shop.unchanged():
        [again] = sow(shop, profile)
    assert again.inserted == {}


def test_dev_is_ten_products_of_the_demo(shop: Shop) -> None:
    [dev] = sow(shop, "dev")
    assert dev.present["products"] == 10
    assert {slug for (slug,) in shop.rows("SELECT slug FROM products")} == set(DEV_PRODUCTS)
    shop.checked()
    ten = shop.rows("SELECT * FROM products ORDER BY id")
    [demo] = sow(shop, "demo")
    assert demo.inserted["products"] == 55
    assert set(ten) <= set(shop.rows("SELECT * FROM products"))
    shop.checked()


def test_prod_is_only_what_a_shop_needs_to_begin(shop: Shop) -> None:
    [done] = sow(shop, "prod")
    assert {table: count for table, count in counts(shop).items() if count} == {"locations": 1}
    assert (done.inserted, done.present) == ({}, {"locations": 1})
    assert shop.rows("SELECT id FROM locations") == [(LOCATION,)]


def test_rows_that_a_person_edited_stay_as_they_are(shop: Shop) -> None:
    sow(shop, "demo")
    shop.execute("UPDATE products SET title = 'Mine', slug = 'mine', price = 1 WHERE slug = 'valley-mug'")
    shop.execute("UPDATE products SET deleted_at = updated_at WHERE slug = 'tea-cups'")
    shop.execute(
        "UPDATE variants SET deleted_at = updated_at "
        "WHERE product_id = (SELECT id FROM products WHERE slug = 'tea-cups')"
    )
    shop.execute("DELETE FROM product_collections WHERE product_id = (SELECT id FROM products WHERE slug = 'mine')")
    shop.execute("UPDATE inventory SET low_stock_threshold = 99")
    with shop.unchanged():
        [again] = sow(shop, "demo")
    assert again.inserted == {}


def test_a_slug_that_the_shop_has_already_refuses_the_whole_profile(shop: Shop) -> None:
    row: dict[str, Any] = {"id": shop.ids("category")[0], "name": "Our honey", "slug": "honey", "level": 0}
    shop.insert("categories", **row, path=f"/{row['id']}/", created_at=shop.now, updated_at=shop.now)
    with shop.unchanged(), pytest.raises(SeedError, match=r"categories\.slug.*nothing was written"):
        sow(shop, "demo")


def test_two_runs_at_once_make_one_shop(shop: Shop) -> None:
    async def both() -> list[Seeded]:
        one, other = await asyncio.gather(sown(shop.url, "demo"), sown(shop.url, "demo"))
        return one + other

    done = asyncio.get_event_loop().run_until_complete(both())
    assert sorted(bool(one.inserted) for one in done) == [False, True]
    assert counts(shop)["products"] == 65
    shop.checked()


def test_an_invariant_that_does_not_hold_is_told(shop: Shop) -> None:
    sow(shop, "dev")
    shop.execute("UPDATE inventory SET stock = stock + 1 WHERE stock > 0")
    with pytest.raises(SeedError, match="invariants do not hold"):
        sow(shop, "dev")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="'qa' is no profile: dev, demo, prod"):
        tables("qa")


def test_a_misspelt_column_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    read = seed_tables._read

    def misspelt(name: str) -> dict[str, Any]:
        table = json.loads(json.dumps(read(name)))
        for product in table.get("product", []):
            product["sumary"] = product.pop("summary")
        return dict(table)

    monkeypatch.setattr(seed_tables, "_read", misspelt)
    with pytest.raises(TypeError, match="sumary"):
        tables("demo")


def test_names_in_the_tables_exist() -> None:
    demo = tables("demo")
    categories, collections = {one.slug for one in demo.categories}, {one.slug for one in demo.collections}
    known: list[Product] = [
        one for one in demo.products if set(one.categories) <= categories and set(one.collections) <= collections
    ]
    assert len(known) == len(demo.products) == len({one.slug for one in demo.products})
    assert all(sum(variant.primary for variant in one.variants) == 1 for one in demo.products)

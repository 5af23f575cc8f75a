"""Rows made of the tables. Ids and times follow from slugs and positions, so every run makes the same rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from db.seeds.tables import Category, Collection, Producer, Product, Tables, Variant
from db.sql import Value
from db.statements.stock import LOCATION

Record = Mapping[str, Value]
Words = Callable[[Mapping[str, Any], list[Mapping[str, Any]], str | None], tuple[str, str]]
"""domain.search.search_text: the words of a row, its variants and its producer's name. Rules are handed in."""

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
OPENED: Final = datetime(2026, 9, 1, 8, tzinfo=UTC)
"""When the sample shop began: before its first product, and the same in every run."""
CURRENCY: Final = "EUR"
ACTOR: Final = "seed"

TABLES: Final = (
    "locations", "producers", "categories", "collections", "products", "variants", "product_categories",
    "product_collections", "media", "media_links", "inventory", "stock_moves", "product_search_texts",
)  # fmt: skip
"""In the order in which rows can be inserted."""


class Unit(NamedTuple):
    """Rows that come together or not at all: a product with all that hangs on it. `table` and `id` are its root's."""

    table: str
    id: str
    rows: Sequence[tuple[str, Record]]


def units(tables: Tables, words: Words) -> list[Unit]:
    """All units of a profile, parents first."""
    found = [_location()]
    found += [_producer(producer) for producer in tables.producers]
    found += _categories(tables.categories)
    found += [_collection(collection, order) for order, collection in enumerate(tables.collections)]
    names = {producer.slug: producer.name for producer in tables.producers}
    in_order = sorted(tables.products, key=lambda one: one.position)
    return found + [_product(product, names[product.producer], words) for product in in_order]


def typeid(prefix: str, slug: str, made: datetime) -> str:
    """The TypeID of something that was made at `made` and is called `slug`: always the same one."""
    digest = int.from_bytes(hashlib.sha256(f"{prefix}/{slug}".encode()).digest(), "big")
    milliseconds = round(made.timestamp() * 1000)
    value = milliseconds << 80 | 7 << 76 | (digest >> 180 & 0xFFF) << 64 | 2 << 62 | digest & (1 << 62) - 1
    return f"{prefix}_" + "".join([ALPHABET[value >> shift & 31] for shift in range(125, -1, -5)])


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _times(moment: datetime = OPENED) -> dict[str, Value]:
    return {"created_at": _stamp(moment), "updated_at": _stamp(moment)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _location() -> Unit:
    return Unit("locations", LOCATION, [("locations", {"id": LOCATION, "name": "Main", **_times()})])


def _producer(producer: Producer) -> Unit:
    made = typeid("producer", producer.slug, OPENED)
    row = {
        "id": made,
        "name": producer.name,
        "slug": producer.slug,
        "image_url": f"/media/demo/{producer.slug}.svg",
        "description": producer.description.strip(),
        **_times(),
    }
    return Unit("producers", made, [("producers", row)])


def _categories(categories: Iterable[Category]) -> list[Unit]:
    paths: dict[str | None, tuple[str | None, int, str]] = {None: (None, -1, "/")}
    found = []
    for order, category in enumerate(categories):
        made = typeid("category", category.slug, OPENED)
        parent_id, parent_level, parent_path = paths[category.parent]
        paths[category.slug] = (made, parent_level + 1, f"{parent_path}{made}/")
        row = {
            "id": made,
            "name": category.name,
            "slug": category.slug,
            "description": category.description,
            "parent_id": parent_id,
            "level": parent_level + 1,
            "path": f"{parent_path}{made}/",
            "image_url": None,
            "icon_url": None,
            "display_order": order,
            **_times(),
        }
        found.append(Unit("categories", made, [("categories", row)]))
    return found


def _collection(collection: Collection, order: int) -> Unit:
    made = typeid("collection", collection.slug, OPENED)
    row = {
        "id": made,
        "name": collection.name,
        "slug": collection.slug,
        "description": collection.description,
        "status": "ACTIVE",
        "image_url": f"/media/demo/{collection.slug}.svg",
        "display_order": order,
        **_times(),
    }
    return Unit("collections", made, [("collections", row)])


def _product(product: Product, producer: str, words: Words) -> Unit:
    made_at = OPENED + timedelta(hours=6 * (product.position + 1))
    made, times, primary = typeid("product", product.slug, made_at), _times(made_at), product.primary
    row: Record = {
        "id": made,
        "producer_id": typeid("producer", product.producer, OPENED),
        "slug": product.slug,
        "sku": product.sku,
        "title": product.title,
        "summary": product.summary,
        "description": product.description.strip(),
        "status": "ACTIVE",
        "price": primary.price,
        "compare_at_price": primary.was,
        "currency": CURRENCY,
        "inventory_policy": product.policy,
        "search_keywords": _json(product.keywords),
        "attributes": _json(product.attributes),
        **times,
    }
    rows: list[tuple[str, Record]] = [("products", row)]
    skus = _skus(product)
    for variant, sku in zip(product.variants, skus, strict=True):
        rows += _variant(product, variant, sku, made, made_at)
    for order, slug in enumerate(product.categories):
        category = typeid("category", slug, OPENED)
        link = {"product_id": made, "category_id": category, "is_primary": int(order == 0), **times}
        rows.append(("product_categories", link))
    for slug in product.collections:
        collection = typeid("collection", slug, OPENED)
        link = {"product_id": made, "collection_id": collection, "display_order": product.position, **times}
        rows.append(("product_collections", link))
    rows += _picture(product, made, made_at)
    title, body = words(
        {"title": product.title, "summary": product.summary, "search_keywords": product.keywords},
        [{"title": _title(product, one), "sku": sku} for one, sku in zip(product.variants, skus, strict=True)],
        producer,
    )
    rows.append(("product_search_texts", {"product_id": made, "title": title, "body": body, **times}))
    return Unit("products", made, rows)


def _variant(
    product: Product, variant: Variant, sku: str, product_id: str, made_at: datetime
) -> list[tuple[str, Record]]:
    """The variant, its stock, and the receipt that the stock came with."""
    made, times = typeid("variant", sku, made_at), _times(made_at)
    row = {
        "id": made,
        "product_id": product_id,
        "sku": sku,
        "title": _title(product, variant),
        "size": variant.size,
        "attributes": _json(variant.attributes),
        "weight_grams": variant.grams,
        "price": variant.price,
        "compare_at_price": variant.was,
        "is_primary": int(variant.primary),
        **times,
    }
    place = {"variant_id": made, "location_id": LOCATION}
    shelf = {**place, "stock": variant.stock, "low_stock_threshold": product.low, **times}
    move = {
        "id": typeid("move", sku, made_at),
        **place,
        "delta": variant.stock,
        "reason": "receipt",
        "balance_after": variant.stock,
        "actor": ACTOR,
        "note": "opening balance",
        "created_at": times["created_at"],
    }
    return [("variants", row), ("inventory", shelf), ("stock_moves", move)]


def _picture(product: Product, product_id: str, made_at: datetime) -> list[tuple[str, Record]]:
    made, times = typeid("media", product.slug, made_at), _times(made_at)
    picture = {
        "id": made,
        "asset_id": f"demo/{product.slug}.svg",
        "type": "IMAGE",
        "provider": "LOCAL",
        "url": f"/media/demo/{product.slug}.svg",
        "mime_type": "image/svg+xml",
        "size_bytes": None,
        "width": 1200,
        "height": 1200,
        "alt": product.title,
        **times,
    }
    link = {"media_id": made, "entity": "product", "entity_id": product_id, "sort_order": 0, "is_primary": 1, **times}
    return [("media", picture), ("media_links", link)]


def _title(product: Product, variant: Variant) -> str:
    """A variant without a name of its own is called after its size; the only one bears the product's title."""
    if len(product.variants) == 1:
        return product.title
    return variant.title or variant.size or product.title


def _skus(product: Product) -> list[str]:
    """The product's SKU and what tells the variant from the others: its size, or its title where sizes repeat."""
    if len(product.variants) == 1:
        return [product.sku]
    sizes = [variant.size for variant in product.variants]
    found = []
    for variant in product.variants:
        name = variant.size if variant.size and sizes.count(variant.size) == 1 else _title(product, variant)
        found.append(f"{product.sku}-{re.sub('[^A-Z0-9.]+', '-', name.upper().replace(' ', ''))}")
    return found

"""The statements of the list of products, one for each combination of order and filters, made when first needed.

Each walks the index of its order until the page is full. A filter is a condition on the row at hand: the unary plus,
and sub-selects that depend on the row, keep it from leading the plan away from that index, which would sort the whole
shop.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from db.sql import Sql
from db.statements.catalog import AVAILABLE, PRODUCT_CATEGORIES, PRODUCT_MEDIA, product_collections

STATEMENTS_KEPT: Final = 512
"""Combinations that stay made; there are a few thousand, and a shop asks for a handful of them."""


class Order(NamedTuple):
    """One order of the list: its key, the index that has it, and which way it goes."""

    key: str
    walks: str
    direction: str
    beyond: str


ORDERS: Final = {
    "newest": Order("created_at", "products_by_status", "DESC", "<"),
    "oldest": Order("created_at", "products_by_status", "ASC", ">"),
    "price": Order("price", "products_by_price", "ASC", ">"),
    "-price": Order("price", "products_by_price", "DESC", "<"),
    "title": Order("title", "products_by_title", "ASC", ">"),
}

# json_object with all of its 16 pairs: a function has at most 32 arguments.
_ITEM: Final = f"""json_object('id', p.id, 'slug', p.slug, 'title', p.title, 'status', p.status, 'price', p.price,
      'compare_at_price', p.compare_at_price, 'currency', p.currency, 'producer_id', p.producer_id,
      'categories', {PRODUCT_CATEGORIES}, 'collections', {product_collections(only_active=True)},
      'media', {PRODUCT_MEDIA}, 'attributes', json(p.attributes),
      'available', (SELECT coalesce(sum({AVAILABLE}), 0)
        FROM live_variants v CROSS JOIN inventory i ON i.variant_id = v.id AND i.location_id = :location_id
        WHERE v.product_id = p.id),
      'version', p.version, 'created_at', p.created_at, 'updated_at', p.updated_at)"""
_ITEM_INDEXES: Final = (
    "product_categories.pk",
    "categories.pk",
    "product_collections.pk",
    "collections.pk",
    "idx_images_entity",
    "media.pk",
    "variants_by_product",
    "inventory.pk",
    "reservations_held",
)

_SOME_IN_STOCK: Final = f"""EXISTS (
      SELECT 1 FROM live_variants v CROSS JOIN inventory i ON i.variant_id = v.id AND i.location_id = :location_id
      WHERE v.product_id = p.id AND {AVAILABLE} > 0)"""

# Filter: the condition, and the indexes that it uses besides those of the item.
FILTERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    # A subtree is a range of paths: each ends with `/`, and `0` is the character after it.
    "category": (
        """EXISTS (SELECT 1 FROM product_categories l WHERE l.product_id = p.id AND +l.category_id IN (
      SELECT c.id FROM (SELECT path FROM live_categories
          WHERE id = coalesce((SELECT id FROM live_categories WHERE slug = :category), :category)) top
        CROSS JOIN live_categories c
        ON c.path >= top.path AND c.path < substr(top.path, 1, length(top.path) - 1) || '0'))""",
        ("categories_slug_once", "categories_by_path"),
    ),
    "collection": (
        """EXISTS (SELECT 1 FROM product_collections l WHERE l.product_id = p.id AND +l.collection_id = (
      SELECT id FROM live_collections
      WHERE id = coalesce((SELECT id FROM live_collections WHERE slug = :collection), :collection)
        AND status = 'ACTIVE'))""",
        ("collections_slug_once",),
    ),
    "producer": (
        """+p.producer_id = (SELECT id FROM live_producers
      WHERE id = coalesce((SELECT id FROM live_producers WHERE slug = :producer), :producer))""",
        ("producers_slug_once", "producers.pk"),
    ),
    "size": ("EXISTS (SELECT 1 FROM live_variants v WHERE v.product_id = p.id AND +v.size = :size)", ()),
    "min_price": ("p.price >= :min_price", ()),
    "max_price": ("p.price <= :max_price", ()),
    "in_stock": (_SOME_IN_STOCK, ()),
    "out_of_stock": (f"NOT {_SOME_IN_STOCK}", ()),
    # The words are looked up once, whatever the number of rows walked.
    "q": (
        """+p.id IN (SELECT t.product_id FROM product_search s CROSS JOIN product_search_texts t ON t.id = s.rowid
      WHERE s.product_search MATCH :q)""",
        ("product_search_texts.pk",),
    ),
}


@lru_cache(maxsize=STATEMENTS_KEPT)
def products_page(sort: str, filters: tuple[str, ...], *, after: bool) -> Sql:
    """The page of ACTIVE products in the order `sort` that pass all `filters` (keys of FILTERS).

    Values: `limit`, `now`, `location_id`, each filter's under its name, and with `after` the key `after_key` and
    `after_id` of the row before. Columns: `item` (JSON text), the order's key, `id`.
    """
    order = ORDERS[sort]
    conditions = ["p.status = 'ACTIVE'"]
    if after:
        conditions.append(f"(p.{order.key}, p.id) {order.beyond} (:after_key, :after_id)")
    indexes = [order.walks, *_ITEM_INDEXES]
    for name in filters:
        condition, used = FILTERS[name]
        # On the price's own index a bound is where the walk begins or ends, unless the page begins later anyway; on
        # another index it must not lead to the price's.
        begins = "min_price" if order.direction == "ASC" else "max_price"
        is_end = order.key == "price" and not (after and name == begins)
        conditions.append(condition if is_end else condition.replace("p.price", "+p.price"))
        indexes += used
    where = " AND ".join(conditions)
    return Sql(
        f"""
    SELECT {_ITEM} AS item, p.{order.key}, p.id FROM live_products p
    WHERE {where}
    ORDER BY p.{order.key} {order.direction}, p.id {order.direction} LIMIT :limit
    """,
        *dict.fromkeys(indexes),
        registered=False,
    )


def list_statements() -> Iterator[Sql]:
    """Statements whose plans stand for all: each order with no filter, each single one, and all; first and later
    page.
    """
    every = tuple(name for name in FILTERS if name != "out_of_stock")
    for sort, filters, after in product(ORDERS, [(), *[(name,) for name in FILTERS], every], (False, True)):
        yield products_page(sort, filters, after=after)

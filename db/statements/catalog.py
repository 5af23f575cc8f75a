"""Statements of the catalog that more than one endpoint sends: a product as JSON, and what every change of one needs.

The product is the aggregate: its version is bumped by every change of its variants and links too, and `AS_READ` holds
that it is as it was read. The pieces of JSON below are SQL expressions on a row `p` of live_products; a list in them
is sorted by a key, so that no sorting is needed.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql, Statement, guard

# --- A product as JSON

PRODUCT_CATEGORIES: Final = """(
    SELECT json_group_array(json_object('id', id, 'name', name, 'slug', slug,
      'is_primary', json(CASE is_primary WHEN 1 THEN 'true' ELSE 'false' END)))
    FROM (SELECT c.id, c.name, c.slug, l.is_primary
      FROM product_categories l CROSS JOIN live_categories c ON c.id = l.category_id
      WHERE l.product_id = p.id ORDER BY l.category_id))"""


def product_collections(*, only_active: bool) -> str:
    """The collections of `p`; a collection that is a DRAFT or ARCHIVED is nobody's business but the shop's."""
    return f"""(
    SELECT json_group_array(json_object('id', id, 'name', name, 'slug', slug))
    FROM (SELECT c.id, c.name, c.slug
      FROM product_collections l CROSS JOIN live_collections c ON c.id = l.collection_id
      WHERE l.product_id = p.id {"AND c.status = 'ACTIVE'" if only_active else ""} ORDER BY l.collection_id))"""


PRODUCT_MEDIA: Final = """(
    SELECT json_group_array(json_object('id', id, 'type', type, 'provider', provider, 'url', url,
      'mime_type', mime_type, 'width', width, 'height', height, 'alt', alt, 'caption', caption,
      'sort_order', sort_order, 'is_primary', json(CASE is_primary WHEN 1 THEN 'true' ELSE 'false' END)))
    FROM (SELECT m.id, m.type, m.provider, m.url, m.mime_type, m.width, m.height, m.alt, m.caption, l.sort_order,
        l.is_primary
      FROM media_links l CROSS JOIN live_media m ON m.id = l.media_id
      WHERE l.entity = 'product' AND l.entity_id = p.id ORDER BY l.sort_order, l.media_id))"""

# What can be sold of a stock row `i`: an expired hold counts as available, whether or not a job has released it yet.
AVAILABLE: Final = """i.stock + CASE WHEN i.reserved = 0 THEN 0 ELSE coalesce((
      SELECT sum(r.quantity) FROM reservations r
      WHERE r.variant_id = i.variant_id AND r.status = 'HELD' AND r.expires_at <= :now
        AND +r.location_id = i.location_id), 0) END"""

_VARIANT: Final = """json_object('id', id, 'product_id', product_id, 'sku', sku, 'title', title, 'size', size,
      'attributes', json(attributes), 'weight_grams', weight_grams, 'price', price,
      'compare_at_price', compare_at_price, 'available', available,
      'is_primary', json(CASE is_primary WHEN 1 THEN 'true' ELSE 'false' END))"""
_VARIANT_COLUMNS: Final = f"""
        v.id, v.product_id, v.sku, v.title, v.size, v.attributes, v.weight_grams, v.price, v.compare_at_price,
        coalesce((SELECT {AVAILABLE} FROM inventory i
          WHERE i.variant_id = v.id AND i.location_id = :location_id), 0) AS available,
        v.is_primary"""
PRODUCT_VARIANTS: Final = f"""(
    SELECT json_group_array({_VARIANT})
    FROM (SELECT {_VARIANT_COLUMNS} FROM live_variants v WHERE v.product_id = p.id ORDER BY v.id))"""

# A function has at most 32 arguments, so json_insert brings the rest (json_patch would drop the members that are null).
_DOCUMENT: Final = f"""json_insert(
      json_object('id', p.id, 'slug', p.slug, 'title', p.title, 'description', p.description, 'status', p.status,
        'price', p.price, 'compare_at_price', p.compare_at_price, 'currency', p.currency,
        'producer_id', p.producer_id, 'categories', {PRODUCT_CATEGORIES}, 'media', {PRODUCT_MEDIA},
        'attributes', json(p.attributes), 'variants', {PRODUCT_VARIANTS}, 'version', p.version,
        'created_at', p.created_at, 'updated_at', p.updated_at),
      '$.summary', p.summary, '$.search_keywords', json(p.search_keywords), '$.inventory_policy', p.inventory_policy)"""
_DOCUMENT_INDEXES: Final = (
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

# By id or slug: a slug has no underscore, so none is an id.
_BY_KEY: Final = "p.id = coalesce((SELECT id FROM live_products WHERE slug = :product), :product)"
# Who asks decides which of the two lists of collections the endpoint puts into the document.
VIEW = Sql(
    f"""
    SELECT p.version, p.status, {_DOCUMENT} AS document, {product_collections(only_active=False)} AS all_collections,
      {product_collections(only_active=True)} AS collections
    FROM live_products p WHERE {_BY_KEY}
    """,
    "products_slug_once",
    "products.pk",
    *_DOCUMENT_INDEXES,
)
# The answers to a change, told at the end of its batch: each a query for api.idempotency.telling, and its indexes.
PRODUCT_TOLD: Final = (
    f"""
    SELECT json_insert({_DOCUMENT}, '$.collections', {product_collections(only_active=False)}) AS answer, p.version
    FROM live_products p WHERE p.id = :product_id
    """,
    "products.pk",
    *_DOCUMENT_INDEXES,
)
VARIANT_TOLD: Final = (
    f"""
    SELECT {_VARIANT} AS answer, version
    FROM (SELECT {_VARIANT_COLUMNS}, p.version
      FROM live_variants v CROSS JOIN live_products p ON p.id = v.product_id WHERE v.id = :variant_id)
    """,
    "variants.pk",
    "products.pk",
    "inventory.pk",
    "reservations_held",
)

# --- A product to be changed: its own columns, and what the search index and the prices need of its variants

_TO_CHANGE: Final = """
    SELECT p.id, p.version, p.slug, p.sku, p.title, p.summary, p.description, p.status, p.inventory_policy,
      p.search_keywords, p.attributes, p.producer_id, p.price, p.compare_at_price,
      (SELECT name FROM producers WHERE id = p.producer_id) AS producer_name,
      (SELECT json_group_array(json_object('id', id, 'sku', sku, 'title', title, 'price', price,
          'compare_at_price', compare_at_price, 'is_primary', is_primary))
        FROM (SELECT * FROM live_variants WHERE product_id = p.id ORDER BY id)) AS variants
    FROM live_products p WHERE
"""
_TO_CHANGE_INDEXES: Final = ("products.pk", "producers.pk", "variants_by_product")
TO_CHANGE = Sql(f"{_TO_CHANGE} {_BY_KEY}", "products_slug_once", *_TO_CHANGE_INDEXES)
OF_VARIANT_TO_CHANGE = Sql(
    f"{_TO_CHANGE} p.id = (SELECT product_id FROM live_variants WHERE id = :variant_id)",
    "variants.pk",
    *_TO_CHANGE_INDEXES,
)

# --- What a change refers to

# :ids = ids of categories, collections and producers: a row for each that is there.
_LIVE: Final = """
    SELECT c.id, c.name FROM json_each(:ids) l CROSS JOIN live_categories c ON c.id = l.value
    UNION ALL SELECT c.id, c.name FROM json_each(:ids) l CROSS JOIN live_collections c ON c.id = l.value
    UNION ALL SELECT p.id, p.name FROM json_each(:ids) l CROSS JOIN live_producers p ON p.id = l.value
"""
_LIVE_INDEXES: Final = ("categories.pk", "collections.pk", "producers.pk")
LIVE = Sql(_LIVE, *_LIVE_INDEXES)
STILL_LIVE = Sql(
    guard(f"(SELECT count(*) FROM ({_LIVE})) = json_array_length(:ids)", "stale", "'references'"), *_LIVE_INDEXES
)

# :wanted = [[kind, value], …], kind slug, sku (a product's) or variant_sku: who has it, a product's or a variant's id.
_TAKEN: Final = """
    SELECT 'slug' AS kind, p.slug AS value, p.id AS owner
    FROM json_each(:wanted) l CROSS JOIN live_products p ON p.slug = l.value ->> '$[1]'
    WHERE l.value ->> '$[0]' = 'slug'
    UNION ALL SELECT 'sku', p.sku, p.id
    FROM json_each(:wanted) l CROSS JOIN live_products p ON p.sku = l.value ->> '$[1]'
    WHERE l.value ->> '$[0]' = 'sku'
    UNION ALL SELECT 'variant_sku', v.sku, v.id
    FROM json_each(:wanted) l CROSS JOIN live_variants v ON v.sku = l.value ->> '$[1]'
    WHERE l.value ->> '$[0]' = 'variant_sku'
"""
_TAKEN_INDEXES: Final = ("products_slug_once", "products_sku_once", "variants_sku_once")
TAKEN = Sql(_TAKEN, *_TAKEN_INDEXES)
# Under it stand the unique indexes; the guard is there to run the line again, which then says which value it is.
STILL_FREE = Sql(
    guard(f"NOT EXISTS (SELECT 1 FROM ({_TAKEN}) WHERE owner IS NOT :owner)", "stale", "'taken'"), *_TAKEN_INDEXES
)

# --- Writing

AS_READ = Sql(
    guard("EXISTS (SELECT 1 FROM live_products WHERE id = :id AND version = :version)", "stale", "'product'"),
    "products.pk",
)
# For a change of its variants: the product's prices follow those of its primary variant (domain.catalog.following).
BUMP = Sql(
    """
    UPDATE products SET version = version + 1, price = :price, compare_at_price = :compare_at_price, updated_at = :now
    WHERE id = :id
    """,
    "products.pk",
)
PRODUCT_NOT_ORDERED = Sql(
    guard("NOT EXISTS (SELECT 1 FROM order_items WHERE product_id = :product_id)", "product_ordered"),
    "order_items_by_product",
)
VARIANT_NOT_ORDERED = Sql(
    guard("NOT EXISTS (SELECT 1 FROM order_items WHERE variant_id = :variant_id)", "variant_ordered"),
    "order_items_by_variant",
)
# :variants = the variants as they are answered, each with its `low_stock_threshold`. Stock comes by adjustments.
ADD_VARIANTS = Sql("""
    INSERT INTO variants (id, product_id, sku, title, size, attributes, weight_grams, price, compare_at_price,
      is_primary, created_at, updated_at)
    SELECT value ->> 'id', value ->> 'product_id', value ->> 'sku', value ->> 'title', value ->> 'size',
      value ->> 'attributes', value ->> 'weight_grams', value ->> 'price', value ->> 'compare_at_price',
      value ->> 'is_primary', :now, :now
    FROM json_each(:variants)
""")
ADD_INVENTORY = Sql("""
    INSERT INTO inventory (variant_id, location_id, stock, low_stock_threshold, created_at, updated_at)
    SELECT value ->> 'id', :location_id, 0, value ->> 'low_stock_threshold', :now, :now FROM json_each(:variants)
""")
NO_PRIMARY = Sql(
    """
    UPDATE variants SET is_primary = 0, updated_at = :now
    WHERE product_id = :product_id AND is_primary = 1 AND deleted_at IS NULL
    """,
    "variants_one_primary",
)
# The first of :ids is the primary category.
ADD_CATEGORIES = Sql("""
    INSERT INTO product_categories (product_id, category_id, is_primary, created_at, updated_at)
    SELECT :product_id, value, key = 0, :now, :now FROM json_each(:ids)
""")
ADD_COLLECTIONS = Sql("""
    INSERT INTO product_collections (product_id, collection_id, created_at, updated_at)
    SELECT :product_id, value, :now, :now FROM json_each(:ids)
""")
NO_CATEGORIES = Sql("DELETE FROM product_categories WHERE product_id = :product_id", "product_categories.pk")
NO_COLLECTIONS = Sql("DELETE FROM product_collections WHERE product_id = :product_id", "product_collections.pk")
# Field of a product: how its links are forgotten, and how new ones are made.
LINKS: Final = (("category_ids", NO_CATEGORIES, ADD_CATEGORIES), ("collection_ids", NO_COLLECTIONS, ADD_COLLECTIONS))
# :title and :body are folded (domain.search.search_text); triggers carry the row into the index product_search.
INDEX_PRODUCT = Sql("""
    INSERT INTO product_search_texts (product_id, title, body, created_at, updated_at)
    VALUES (:product_id, :title, :body, :now, :now)
    ON CONFLICT (product_id) DO UPDATE SET title = excluded.title, body = excluded.body,
      updated_at = excluded.updated_at
""")


def variants_changed(
    product_id: str, prices: dict[str, int | None], words: tuple[str, str], now: str
) -> list[Statement]:
    """The end of every change of variants: the product's version, its prices, and its `words` (folded title and
    body).
    """
    title, body = words
    return [
        BUMP(id=product_id, **prices, now=now),
        INDEX_PRODUCT(product_id=product_id, title=title, body=body, now=now),
    ]

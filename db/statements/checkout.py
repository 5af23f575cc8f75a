"""Statements of the sale that more than one endpoint sends: whose cart it is, and what lines cost."""

from __future__ import annotations

from db.sql import Sql

_PRICED = """
    CASE WHEN p.id IS NULL THEN NULL ELSE v.price END AS price, v.product_id,
      v.title AS variant_title, v.sku, v.size, p.title, p.status, p.currency,
      p.inventory_policy AS policy, p.producer_id, p.version || '/' || v.price AS seen, i.stock
"""
_OF_VARIANT = """
    LEFT JOIN live_products p ON p.id = v.product_id
    LEFT JOIN inventory i ON i.variant_id = v.id AND i.location_id = :location_id
"""
# :lines = {variant: quantity}. A row per line; `price` is null where nothing is to be had under that id.
PRICED_LINES = Sql(
    f"""
    SELECT l.key AS variant_id, l.value AS quantity, {_PRICED}
    FROM json_each(:lines) l LEFT JOIN live_variants v ON v.id = l.key {_OF_VARIANT}
    """,
    "variants.pk",
    "products.pk",
    "inventory.pk",
)
PRICED_CART = Sql(
    f"""
    SELECT c.variant_id, c.quantity, {_PRICED}
    FROM cart_items c LEFT JOIN live_variants v ON v.id = c.variant_id {_OF_VARIANT}
    WHERE c.cart_id = :cart_id ORDER BY c.id
    """,
    "cart_items_by_cart",
    "variants.pk",
    "products.pk",
    "inventory.pk",
)
# The cart, if it is the caller's: by its token, by the person's session, or by the key that made it.
CART_OF_CALLER = Sql(
    """
    SELECT id, status, version, expires_at, created_at, updated_at FROM carts
    WHERE id = :cart_id AND (token_hash = :token_hash OR user_id = :user_id
      OR api_key_id = (SELECT id FROM api_keys WHERE hash = :credential))
    """,
    "carts.pk",
    "api_keys_hash_once",
)

"""Statements on carts that more than one endpoint sends. A list of lines is one JSON text.

Nothing here needs the cart as it was read: quantities are added where they stand, the version is counted up where it
stands, and the answer is told at the end of the batch. So two changes at once are both kept and neither is run again.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql, guard

# One cart as the contract shows it. What is gone from the catalog still has its title and price here, and nothing
# available. Expired by time counts as abandoned, whether or not anything has marked it so.
CART: Final = """
    SELECT c.version, json_object('id', c.id,
        'status', CASE WHEN c.status = 'ACTIVE' AND c.expires_at <= :now THEN 'ABANDONED' ELSE c.status END,
        'currency', CASE WHEN l.least = l.most THEN l.most END, 'items', json(l.items), 'subtotal', l.subtotal,
        'expires_at', c.expires_at, 'version', c.version) AS answer
    FROM carts c CROSS JOIN (
      SELECT json_group_array(json(o.item)) AS items, coalesce(sum(o.total), 0) AS subtotal,
        min(o.currency) AS least, max(o.currency) AS most
      FROM (
        SELECT p.currency, i.quantity * v.price AS total,
          json_object('id', i.id, 'variant_id', v.id, 'title', p.title, 'quantity', i.quantity, 'unit_price', v.price,
            'total', i.quantity * v.price, 'available',
            CASE WHEN v.deleted_at IS NULL AND p.deleted_at IS NULL AND p.status = 'ACTIVE'
              AND p.inventory_policy <> 'DENY'
            THEN coalesce(s.stock, 0) + coalesce((
              SELECT sum(r.quantity) FROM reservations r
              WHERE r.status = 'HELD' AND r.variant_id = v.id AND r.expires_at > '' AND +r.location_id = :location_id
                AND (r.expires_at <= :now OR r.cart_id = :cart_id)), 0)
            ELSE 0 END) AS item
        FROM cart_items i CROSS JOIN variants v ON v.id = i.variant_id CROSS JOIN products p ON p.id = v.product_id
        LEFT JOIN inventory s ON s.variant_id = v.id AND s.location_id = :location_id
        WHERE i.cart_id = :cart_id ORDER BY i.id) o) l
    WHERE c.id = :cart_id
"""
CART_INDEXES: Final = (
    "carts.pk", "cart_items_by_cart", "variants.pk", "products.pk", "inventory.pk", "reservations_held",
)  # fmt: skip

# What a change must know: the lines of the cart; `currency` is null where the article is gone.
LINES = Sql(
    """
    SELECT i.id, i.variant_id, i.quantity, p.currency
    FROM cart_items i LEFT JOIN live_variants v ON v.id = i.variant_id LEFT JOIN live_products p ON p.id = v.product_id
    WHERE i.cart_id = :cart_id
    """,
    "cart_items_by_cart",
    "variants.pk",
    "products.pk",
)
# Still open, and still the version that If-Match named (null = the client named none).
OPEN = Sql(
    guard(
        "EXISTS (SELECT 1 FROM carts WHERE id = :cart_id AND status = 'ACTIVE' AND expires_at > :now "
        "AND version = coalesce(:version, version))",
        "stale",
        "'cart'",
    ),
    "carts.pk",
)
# :lines = [{"id": item, "variant_id": …, "quantity": …}]. Before ADD_LINES: no line grows above what one may hold.
ROOM = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:lines) l CROSS JOIN cart_items i ON i.cart_id = :cart_id "
        "AND i.variant_id = l.value ->> 'variant_id' WHERE i.quantity + (l.value ->> 'quantity') > :quantity_max)",
        "stale",
        "'quantity'",
    ),
    "cart_items_variant_once",
)
_PUT = """
    INSERT INTO cart_items (id, cart_id, variant_id, quantity, created_at, updated_at)
    SELECT l.value ->> 'id', :cart_id, l.value ->> 'variant_id', l.value ->> 'quantity', :now, :now
    FROM json_each(:lines) l WHERE true
"""
ADD_LINES = Sql(f"""
    {_PUT} ON CONFLICT (cart_id, variant_id)
    DO UPDATE SET quantity = quantity + excluded.quantity, updated_at = excluded.updated_at
""")
SET_LINES = Sql(f"""
    {_PUT} ON CONFLICT (cart_id, variant_id)
    DO UPDATE SET quantity = excluded.quantity, updated_at = excluded.updated_at
""")
# After the lines are in: neither too many, nor in two currencies. What is gone has none.
FITS = Sql(
    guard(
        """(SELECT count(*) <= :lines_max AND min(p.currency) IS max(p.currency) FROM cart_items i
        LEFT JOIN live_variants v ON v.id = i.variant_id LEFT JOIN live_products p ON p.id = v.product_id
        WHERE i.cart_id = :cart_id)""",
        "stale",
        "'lines'",
    ),
    "cart_items_variant_once",
    "variants.pk",
    "products.pk",
)
ITEM = Sql("SELECT id FROM cart_items WHERE id = :item AND +cart_id = :cart_id", "cart_items.pk")
# Straight after an item's UPDATE or DELETE: it was still there.
CHANGED = Sql(guard("changes() = 1", "stale", "'item'"))
# Every change is a new version and a new lease of life.
TOUCH = Sql(
    "UPDATE carts SET version = version + 1, expires_at = max(expires_at, :expires_at), updated_at = :now "
    "WHERE id = :cart_id",
    "carts.pk",
)

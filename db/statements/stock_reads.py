"""What the shop shows of its stock: the stock of a variant and the moves behind it, as JSON made by SQL.

`available` counts the holds whose time is over, whether or not anybody has ended them yet.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql

# Of a row named s that has the columns of inventory, `policy`, and `expired`: the pieces of expired holds.
STOCK_JSON: Final = """json_object('variant_id', s.variant_id, 'available', s.stock + s.expired,
      'reserved', s.reserved - s.expired, 'on_hand', s.on_hand, 'low_stock_threshold', s.low_stock_threshold,
      'policy', s.policy, 'updated_at', s.updated_at)"""
# Of a row of inventory named i. `expires_at > ''` leads the planner to the index of the held ones.
EXPIRED_PIECES: Final = """(SELECT coalesce(sum(r.quantity), 0) FROM reservations r WHERE r.variant_id = i.variant_id
      AND r.status = 'HELD' AND r.expires_at > '' AND r.expires_at <= :now AND +r.location_id = i.location_id)"""
# Of a row of stock_moves named m.
MOVE_JSON: Final = """json_object('id', m.id, 'variant_id', m.variant_id, 'order_id', m.order_id, 'delta', m.delta,
      'reason', m.reason, 'balance_after', m.balance_after, 'actor', m.actor, 'note', m.note,
      'created_at', m.created_at)"""

STOCK_OF_VARIANT = Sql(
    """
    SELECT i.stock, i.backordered, p.status, p.inventory_policy AS policy
    FROM live_variants v CROSS JOIN live_products p CROSS JOIN inventory i
    WHERE v.id = :variant_id AND p.id = v.product_id AND i.variant_id = v.id AND i.location_id = :location_id
    """,
    "variants.pk",
    "products.pk",
    "inventory.pk",
)

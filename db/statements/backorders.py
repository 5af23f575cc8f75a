"""What a receipt pays of what orders are owed: a sale move for each item, out of the stock that has just come in."""

from __future__ import annotations

from typing import Final

from db.sql import Sql, Statement, guard
from db.statements.stock import LOCATION

FILLS_MAX: Final = 5_000
"""Items that one receipt pays; the next receipt goes on."""

OWED = Sql(
    """
    SELECT i.id, i.order_id, i.backordered_quantity FROM order_items i CROSS JOIN orders o
    WHERE i.variant_id = :variant_id AND i.backordered_quantity > 0 AND o.id = i.order_id AND o.status <> 'CANCELLED'
    ORDER BY i.id LIMIT :rows
    """,
    "order_items_backordered",
    "orders.pk",
)
# :fills = the entries of domain.backorders.fills, each with the id of its move.
OWED_AS_READ = Sql(
    guard(
        """NOT EXISTS (SELECT 1 FROM json_each(:fills) f LEFT JOIN order_items i ON i.id = f.value ->> 'item_id'
        LEFT JOIN orders o ON o.id = i.order_id
        WHERE i.backordered_quantity IS NOT f.value ->> 'owed' OR o.status IS 'CANCELLED')""",
        "stale",
        "'owed'",
    ),
    "order_items.pk",
    "orders.pk",
)
FILL_MOVES = Sql(
    """
    INSERT INTO stock_moves
      (id, variant_id, location_id, order_id, delta, reason, balance_after, actor, note, created_at)
    SELECT f.value ->> 'move_id', i.variant_id, i.location_id, f.value ->> 'order_id', -(f.value ->> 'quantity'),
      'sale', i.stock - (f.value ->> 'running'), :actor, f.value ->> 'item_id', :now
    FROM json_each(:fills) f CROSS JOIN inventory i
    WHERE i.variant_id = :variant_id AND i.location_id = :location_id
    """,
    "inventory.pk",
)
FILL_STOCK = Sql(
    """
    UPDATE inventory SET stock = stock - :given, backordered = backordered - :given, updated_at = :now
    WHERE variant_id = :variant_id AND location_id = :location_id
    """,
    "inventory.pk",
)
FILL_ITEMS = Sql(
    """
    UPDATE order_items SET backordered_quantity = backordered_quantity - (f.value ->> 'quantity'), updated_at = :now
    FROM json_each(:fills) f WHERE order_items.id = f.value ->> 'item_id'
    """,
    "order_items.pk",
)


def fill(variant_id: str, fills: str, given: int, actor: str, now: str) -> list[Statement]:
    """The statements that give `given` pieces to the items of `fills`: guard, moves, stock, items; nothing for none."""
    if not given:
        return []
    here = {"variant_id": variant_id, "location_id": LOCATION, "now": now}
    return [
        OWED_AS_READ(fills=fills),
        FILL_MOVES(fills=fills, actor=actor, **here),
        FILL_STOCK(given=given, **here),
        FILL_ITEMS(fills=fills, now=now),
    ]

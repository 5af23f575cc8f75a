"""Statements on stock that more than one endpoint sends. A list of lines or holds is one JSON text.

Order within a batch that takes stock: release the holds (moves, inventory, reservations), then `ENOUGH`, `TAKE`,
`TAKEN`, then the moves of what was taken, because each move's `balance_after` is read from the stock row as it stands.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql, Statement, guard

LOCATION: Final = "location_00000000000000000000000000"
"""The one location of a shop that has said nothing about locations (migration 0001)."""

# Holds that count as free for this caller: expired ones, and those of the cart that is being checked out.
# `expires_at > ''` is always true: it leads the planner to the index of the held ones.
_FREE = """
    SELECT r.id, r.variant_id, r.quantity, r.expires_at, r.cart_id IS :cart_id AND r.expires_at > :now AS own
"""
_IS_FREE = """
    r.status = 'HELD' AND r.expires_at > '' AND +r.location_id = :location_id
    AND (r.expires_at <= :now OR r.cart_id = :cart_id)
"""
FREE_HOLDS = Sql(
    f"{_FREE} FROM json_each(:variants) v CROSS JOIN reservations r WHERE r.variant_id = v.key AND {_IS_FREE}",
    "reservations_held",
)
FREE_HOLDS_OF_CART = Sql(
    f"""
    {_FREE} FROM cart_items c CROSS JOIN reservations r
    WHERE c.cart_id = :cart_id AND r.variant_id = c.variant_id AND {_IS_FREE}
    """,
    "cart_items_variant_once",
    "reservations_held",
)

# :holds and :freed are made by domain.stock.releases from rows of FREE_HOLDS.
HOLDS_ARE_HELD = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:holds) h LEFT JOIN reservations r ON r.id = h.value ->> 'id' "
        "WHERE r.status IS NOT 'HELD')",
        "stale",
        "'holds'",
    ),
    "reservations.pk",
)
RELEASE_MOVES = Sql(
    """
    INSERT INTO stock_moves (id, variant_id, location_id, delta, reason, balance_after, actor, note, created_at)
    SELECT h.value ->> 'move_id', r.variant_id, r.location_id, r.quantity, 'release',
      i.stock + (h.value ->> 'running'), :actor, r.id, :now
    FROM json_each(:holds) h CROSS JOIN reservations r ON r.id = h.value ->> 'id'
    CROSS JOIN inventory i ON i.variant_id = r.variant_id AND i.location_id = r.location_id
    """,
    "reservations.pk",
    "inventory.pk",
)
RELEASE_STOCK = Sql(
    """
    UPDATE inventory SET stock = stock + f.value, reserved = reserved - f.value, updated_at = :now
    FROM json_each(:freed) f WHERE inventory.variant_id = f.key AND +inventory.location_id = :location_id
    """,
    "inventory.pk",
)
RELEASE_HOLDS = Sql(
    """
    UPDATE reservations SET status = h.value ->> 'status', updated_at = :now
    FROM json_each(:holds) h WHERE reservations.id = h.value ->> 'id'
    """,
    "reservations.pk",
)


def release(holds: str, freed: str, actor: str, now: str) -> list[Statement]:
    """The statements that give back what `holds` hold: guard, moves, stock, reservations; none for `[]`."""
    if holds == "[]":
        return []
    return [
        HOLDS_ARE_HELD(holds=holds),
        RELEASE_MOVES(holds=holds, actor=actor, now=now),
        RELEASE_STOCK(freed=freed, location_id=LOCATION, now=now),
        RELEASE_HOLDS(holds=holds, now=now),
    ]


# :take = {variant: pieces to take from stock}.
_SHORT = """
    FROM json_each(:take) l LEFT JOIN inventory i ON i.variant_id = l.key AND i.location_id = :location_id
    WHERE coalesce(i.stock, -1) < l.value
"""
ENOUGH = Sql(
    guard(
        f"NOT EXISTS (SELECT 1 {_SHORT})",
        "insufficient_stock",
        "(SELECT json_object('lines', json_group_array(json_object("
        f"'variant_id', l.key, 'requested', l.value, 'available', coalesce(i.stock, 0)))) {_SHORT})",
    ),
    "inventory.pk",
)
TAKE = Sql(
    """
    UPDATE inventory SET stock = stock - l.value, updated_at = :now
    FROM json_each(:take) l
    WHERE inventory.variant_id = l.key AND +inventory.location_id = :location_id AND inventory.stock >= l.value
    """,
    "inventory.pk",
)
# Straight after TAKE: every line was taken.
TAKEN = Sql(guard("changes() = (SELECT count(*) FROM json_each(:take))", "stale", "'stock'"))

# :moves = [{"id": move, "variant_id": …, "quantity": pieces taken}], sent after TAKE.
SALE_MOVES = Sql(
    """
    INSERT INTO stock_moves (id, variant_id, location_id, order_id, delta, reason, balance_after, actor, created_at)
    SELECT m.value ->> 'id', i.variant_id, i.location_id, :order_id, -(m.value ->> 'quantity'), 'sale', i.stock,
      :actor, :now
    FROM json_each(:moves) m CROSS JOIN inventory i
    WHERE i.variant_id = m.value ->> 'variant_id' AND i.location_id = :location_id
    """,
    "inventory.pk",
)
# One move of one variant, sent after its stock was changed by :delta.
ADD_MOVE = Sql(
    """
    INSERT INTO stock_moves (id, variant_id, location_id, delta, reason, balance_after, actor, note, created_at)
    SELECT :id, variant_id, location_id, :delta, :reason, stock, :actor, :note, :now
    FROM inventory WHERE variant_id = :variant_id AND location_id = :location_id
    """,
    "inventory.pk",
)
# One `stock.low` for each variant that this batch took from above its threshold to it or below. Sent last: what was
# available before is what there is now and the `quantity` taken, less `held`, the cart's own hold that it came out of.
# (Expired holds that the batch released were available before, so they do not count.)
LOW_STOCK = Sql(
    """
    INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
    SELECT 'outbox_' || substr(m.value ->> 'id', 6), 'stock.low', 'variant', i.variant_id,
      json_object('variant_id', i.variant_id, 'available', i.stock, 'low_stock_threshold', i.low_stock_threshold),
      :now, :now, :now
    FROM json_each(:moves) m CROSS JOIN inventory i
    WHERE i.variant_id = m.value ->> 'variant_id' AND i.location_id = :location_id
      AND i.stock <= i.low_stock_threshold
      AND i.stock + (m.value ->> 'quantity') - coalesce(m.value ->> 'held', 0) > i.low_stock_threshold
    """,
    "inventory.pk",
)
# What stock could not give goes to the backlog: lines of {variant: pieces}. Only with nothing left on the shelf.
NOTHING_LEFT = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:backorders) b LEFT JOIN inventory i "
        "ON i.variant_id = b.key AND i.location_id = :location_id WHERE i.stock IS NOT 0)",
        "stale",
        "'backorders'",
    ),
    "inventory.pk",
)
BACKORDER = Sql(
    """
    UPDATE inventory SET backordered = backordered + b.value, updated_at = :now
    FROM json_each(:backorders) b WHERE inventory.variant_id = b.key AND +inventory.location_id = :location_id
    """,
    "inventory.pk",
)


def take(pieces: str, counted: str, backorders: str, now: str) -> list[Statement]:
    """The statements that take `pieces` from stock, and put `backorders` on the backlog: {variant: pieces}, as JSON.

    `counted` are those of `pieces` that are sold only while stock lasts, and refused when it does not. Where others are
    short, somebody was faster: the line runs again, takes what there is, and owes the rest.
    """
    taken = [
        ENOUGH(take=counted, location_id=LOCATION),
        TAKE(take=pieces, location_id=LOCATION, now=now),
        TAKEN(take=pieces),
    ]
    if backorders == "{}":
        return taken
    return [
        *taken,
        NOTHING_LEFT(backorders=backorders, location_id=LOCATION),
        BACKORDER(backorders=backorders, location_id=LOCATION, now=now),
    ]

"""Statements on orders that more than one endpoint sends: one order with its items as JSON, and the steps of its life.

A step holds that the order is as it was read (`AS_READ`), so of two steps at once one is run again and sees
the other's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from db.sql import Sql, Statement, guard
from db.statements.stock import LOCATION

# The order of the contract, made by SQL. json_set takes what json_object cannot: a function has at most 32 arguments.
# (json_patch would drop the members that are null.)
ORDER_JSON: Final = """json_set(
      json_object('id', o.id, 'reference', o.reference, 'status', o.status, 'version', o.version,
        'currency', o.currency, 'subtotal', o.subtotal, 'discount', o.discount, 'tax', o.tax, 'shipping', o.shipping,
        'total', o.total,
        'items', (SELECT json_group_array(json_object('id', i.id, 'product_id', i.product_id,
            'variant_id', i.variant_id, 'producer_id', i.producer_id, 'title', i.title,
            'variant_title', i.variant_title, 'status', i.status, 'quantity', i.quantity,
            'backordered_quantity', i.backordered_quantity, 'unit_price', i.unit_price, 'total', i.total))
          FROM (SELECT * FROM order_items WHERE order_id = o.id ORDER BY id) i),
        'customer', json(o.customer), 'shipping_address', json(o.shipping_address),
        'billing_address', json(o.billing_address), 'notes', o.notes, 'metadata', json(o.metadata)),
      '$.placed_at', o.placed_at, '$.expires_at', o.expires_at, '$.paid_at', o.paid_at,
      '$.fulfilled_at', o.fulfilled_at, '$.shipped_at', o.shipped_at, '$.delivered_at', o.delivered_at,
      '$.cancelled_at', o.cancelled_at)"""

# By id, or by reference where the client's text has the form of one.
THE_ORDER: Final = "o.id = coalesce((SELECT id FROM orders WHERE reference = :reference), :order)"
FIND = Sql(
    f"""
    SELECT o.id, o.status, o.version, o.user_id, o.api_key_id, o.customer_phone, {ORDER_JSON} AS item
    FROM orders o WHERE {THE_ORDER}
    """,
    "orders_reference_once",
    "orders.pk",
    "order_items_by_order",
)

AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM orders WHERE id = :id AND version = :version AND status = :status)", "stale", "'order'"
    ),
    "orders.pk",
)
MOVE = Sql(
    """
    UPDATE orders SET status = :to, version = version + 1, updated_at = :now,
      paid_at = CASE :to WHEN 'PAID' THEN :now ELSE paid_at END,
      fulfilled_at = CASE :to WHEN 'FULFILLED' THEN :now ELSE fulfilled_at END,
      shipped_at = CASE :to WHEN 'SHIPPED' THEN :now ELSE shipped_at END,
      delivered_at = CASE :to WHEN 'DELIVERED' THEN :now ELSE delivered_at END,
      cancelled_at = CASE :to WHEN 'CANCELLED' THEN :now ELSE cancelled_at END
    WHERE id = :id
    """,
    "orders.pk",
)
MOVE_ITEMS = Sql(
    "UPDATE order_items SET status = :to, updated_at = :now WHERE order_id = :order_id", "order_items_by_order"
)
ADD_EVENT = Sql("""
    INSERT INTO order_events (id, order_id, from_status, to_status, actor, created_at)
    VALUES (:id, :order_id, :from_status, :to, :actor, :now)
""")
ADD_MESSAGE = Sql("""
    INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
    VALUES (:id, :topic, 'order', :order_id, json_object('order_id', :order_id), :now, :now, :now)
""")

# :owed = {item: backordered pieces}: no receipt has filled them meanwhile.
OWED_AS_READ = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:owed) l LEFT JOIN order_items i ON i.id = l.key "
        "WHERE i.backordered_quantity IS NOT l.value)",
        "stale",
        "'items'",
    ),
    "order_items.pk",
)
# :back is made by domain.orders.given_back. Stock first: each move's balance_after is the stock row as it stands then.
RETURN_STOCK = Sql(
    """
    UPDATE inventory SET stock = stock + (b.value ->> 'quantity'),
      backordered = backordered - (b.value ->> 'backordered'), updated_at = :now
    FROM json_each(:back) b
    WHERE inventory.variant_id = b.value ->> 'variant_id' AND +inventory.location_id = :location_id
    """,
    "inventory.pk",
)
RETURN_MOVES = Sql(
    """
    INSERT INTO stock_moves (id, variant_id, location_id, order_id, delta, reason, balance_after, actor, created_at)
    SELECT b.value ->> 'id', i.variant_id, i.location_id, :order_id, b.value ->> 'quantity', 'return', i.stock,
      :actor, :now
    FROM json_each(:back) b CROSS JOIN inventory i
    WHERE i.variant_id = b.value ->> 'variant_id' AND i.location_id = :location_id AND b.value ->> 'quantity' > 0
    """,
    "inventory.pk",
)
FORGET_OWED = Sql(
    """
    UPDATE order_items SET backordered_quantity = 0, updated_at = :now
    WHERE order_id = :order_id AND +backordered_quantity > 0
    """,
    "order_items_by_order",
)


def moving(
    order: Mapping[str, Any], to: str, *, event_id: str, message_id: str, actor: str, now: str
) -> list[Statement]:
    """The statements of one step of `order` (id, version, status as read): guard, order, items, event, message."""
    order_id = order["id"]
    return [
        AS_READ(id=order_id, version=order["version"], status=order["status"]),
        MOVE(id=order_id, to=to, now=now),
        MOVE_ITEMS(order_id=order_id, to=to, now=now),
        ADD_EVENT(id=event_id, order_id=order_id, from_status=order["status"], to=to, actor=actor, now=now),
        ADD_MESSAGE(id=message_id, order_id=order_id, topic=f"order.{to.lower()}", now=now),
    ]


def cancelling(
    order: Mapping[str, Any], back: list[dict[str, Any]], *, event_id: str, message_id: str, actor: str, now: str
) -> list[Statement]:
    """The statements that cancel `order` (with items, as read) and give `back` (of given_back) to the stock, once."""
    order_id = order["id"]
    owed = {item["id"]: item["backordered_quantity"] for item in order["items"]}
    stock = {"back": json.dumps(back), "location_id": LOCATION, "now": now}
    return [
        *moving(order, "CANCELLED", event_id=event_id, message_id=message_id, actor=actor, now=now),
        OWED_AS_READ(owed=json.dumps(owed)),
        RETURN_STOCK(**stock),
        RETURN_MOVES(**stock, order_id=order_id, actor=actor),
        FORGET_OWED(order_id=order_id, now=now),
    ]

"""How an order comes into the books: all is as it was read, then the order with its items, event and message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from db.sql import Sql, Statement, guard
from db.statements.orders import ADD_EVENT, ADD_MESSAGE

_text: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

CART_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM carts WHERE id = :cart_id AND version = :version AND status = 'ACTIVE')",
        "stale",
        "'cart'",
    ),
    "carts.pk",
)
# :seen = {variant: "product's version/price"}: whatever the answer was built from is as it was read.
LINES_AS_READ = Sql(
    guard(
        """NOT EXISTS (SELECT 1 FROM json_each(:seen) l
        LEFT JOIN live_variants v ON v.id = l.key LEFT JOIN live_products p ON p.id = v.product_id
        WHERE p.version || '/' || v.price IS NOT l.value)""",
        "stale",
        "'lines'",
    ),
    "variants.pk",
    "products.pk",
)
ADD_ORDER = Sql("""
    INSERT INTO orders (id, reference, user_id, api_key_id, cart_id, status, currency, subtotal, discount, tax,
      shipping, total, customer, customer_phone, shipping_address, billing_address, notes, metadata, placed_at,
      expires_at, created_at, updated_at)
    VALUES (:id, :reference, :user_id, :api_key_id, :cart_id, 'PENDING', :currency, :subtotal, :discount, :tax,
      :shipping, :total, :customer, :phone, :shipping_address, :billing_address, :notes, :metadata, :placed_at,
      :expires_at, :placed_at, :placed_at)
""")
# :order is the whole order as it is answered.
ADD_ITEMS = Sql(
    """
    INSERT INTO order_items (id, order_id, product_id, variant_id, producer_id, title, variant_title, variant, quantity,
      backordered_quantity, currency, unit_price, total, created_at, updated_at)
    SELECT l.value ->> 'id', :order_id, l.value ->> 'product_id', v.id, l.value ->> 'producer_id', l.value ->> 'title',
      l.value ->> 'variant_title', json_object('sku', v.sku, 'size', v.size), l.value ->> 'quantity',
      l.value ->> 'backordered_quantity', :currency, l.value ->> 'unit_price', l.value ->> 'total', :now, :now
    FROM json_each(:order, '$.items') l CROSS JOIN live_variants v ON v.id = l.value ->> 'variant_id'
    """,
    "variants.pk",
)
CLOSE_CART = Sql(
    "UPDATE carts SET status = 'CHECKED_OUT', version = version + 1, updated_at = :now WHERE id = :cart_id", "carts.pk"
)


def placing(
    order: Mapping[str, Any],
    text: str,
    *,
    user_id: str | None,
    api_key_id: str | None,
    cart_id: str | None,
    actor: str,
    event_id: str,
    message_id: str,
) -> list[Statement]:
    """The statements that write `order`, as it is answered; `text` is the same as JSON."""
    order_id, now, billing = order["id"], order["placed_at"], order["billing_address"]
    kept = ("id", "reference", "currency", "subtotal", "discount", "tax", "shipping", "total", "notes", "placed_at")
    return [
        ADD_ORDER(
            **{name: order[name] for name in kept},
            user_id=user_id,
            api_key_id=api_key_id,
            cart_id=cart_id,
            customer=_text(order["customer"]),
            phone=order["customer"]["phone"],
            shipping_address=_text(order["shipping_address"]),
            billing_address=_text(billing) if billing else None,
            metadata=_text(order["metadata"]),
            expires_at=order["expires_at"],
        ),
        ADD_ITEMS(order=text, order_id=order_id, currency=order["currency"], now=now),
        ADD_EVENT(id=event_id, order_id=order_id, from_status=None, to="PENDING", actor=actor, now=now),
        ADD_MESSAGE(id=message_id, order_id=order_id, topic="order.placed", now=now),
    ]

"""Every 5 minutes: cancel the orders whose time to be paid is over and give their stock back once, or change nothing.

The same statements as POST /orders/{order}/cancel. Of a payment and this job at once, one finds the version that it
read: an order is paid or cancelled, never both. An order without `expires_at` (payment on delivery) waits for ever, and
so does one that is paid in part: somebody has to decide about the money.
"""

import json
from collections.abc import Sequence
from typing import Final

from api.job import JobCall, job
from db.helper import Row
from db.sql import Sql, Statement, guard
from db.statements import orders
from domain.orders import given_back

ORDERS_MAX: Final = 20
"""Orders of one batch: each has ten statements and up to 100 items."""

UNPAID = Sql(
    """
    SELECT o.id, o.version, o.status, o.expires_at, o.rowid AS position,
      (SELECT json_group_array(json_object('id', i.id, 'variant_id', i.variant_id, 'quantity', i.quantity,
          'backordered_quantity', i.backordered_quantity))
        FROM order_items i WHERE i.order_id = o.id) AS items
    FROM orders o INDEXED BY orders_by_expires_at
    WHERE o.status = 'PENDING' AND o.expires_at <= :now AND (o.expires_at, o.rowid) > (:after, :position)
      AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id AND p.status = 'SETTLED')
    ORDER BY o.expires_at, o.rowid LIMIT :rows
    """,
    "orders_by_expires_at",
    "order_items_by_order",
    "payments_by_order",
)
NOTHING_PAID = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM payments WHERE order_id = :order_id AND status = 'SETTLED')", "stale", "'payments'"
    ),
    "payments_by_order",
)


@job("rate(5 minutes)")
async def expire_unpaid_orders(call: JobCall) -> dict[str, int]:
    last = call.after or {"expires_at": "", "position": 0}
    page = {"now": call.now, "after": last["expires_at"], "position": last["position"], "rows": ORDERS_MAX}
    [unpaid] = await call.read(UNPAID(**page))

    def plan(some: Sequence[Row]) -> list[Statement]:
        statements: list[Statement] = []
        for row in some:
            order = {**row, "items": json.loads(row["items"])}
            back = given_back(order["items"], call.ids("move", len(order["items"])))
            ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
            statements.append(NOTHING_PAID(order_id=row["id"]))
            statements += orders.cancelling(order, back, **ids, actor=call.actor, now=call.now)
        return statements

    return {"cancelled": await call.settle(unpaid, plan)}


handler = expire_unpaid_orders.handler

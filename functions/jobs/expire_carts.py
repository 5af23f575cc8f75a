"""Every 15 minutes: abandon the carts whose time is over and release what is held for them, or change nothing.

Hygiene only: an expired cart is refused wherever it is used. The guards hold that each cart is still active and
expired, and that no hold was put on it or ended meanwhile; otherwise the round reads again.
"""

from collections.abc import Sequence

from api.call import dumps
from api.job import ROWS_MAX, JobCall, job
from db.helper import Row
from db.sql import Sql, Statement, guard
from db.statements import stock
from db.statements.stock import LOCATION
from domain.stock import releases

_EXPIRED = """
    SELECT id, expires_at, rowid AS position FROM carts INDEXED BY carts_by_expires_at
    WHERE status = 'ACTIVE' AND expires_at <= :now AND (expires_at, rowid) > (:after, :position)
    ORDER BY expires_at, rowid LIMIT :rows
"""
EXPIRED = Sql(_EXPIRED, "carts_by_expires_at")
HOLDS = Sql(
    f"""
    SELECT r.id, r.cart_id, r.variant_id, r.quantity, r.expires_at,
      CASE WHEN r.expires_at <= :now THEN 'EXPIRED' ELSE 'RELEASED' END AS status
    FROM ({_EXPIRED}) c CROSS JOIN reservations r
    WHERE r.cart_id = c.id AND +r.status = 'HELD' AND +r.location_id = :location_id
    """,
    "carts_by_expires_at",
    "reservations_by_cart",
)
# :carts = [cart, …], :holds as in db.statements.stock.
CARTS_AS_READ = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:carts) l LEFT JOIN carts c ON c.id = l.value "
        "WHERE c.status IS NOT 'ACTIVE' OR c.expires_at > :now)",
        "stale",
        "'carts'",
    ),
    "carts.pk",
)
NO_OTHER_HOLDS = Sql(
    guard(
        """NOT EXISTS (SELECT 1 FROM json_each(:carts) l CROSS JOIN reservations r
        WHERE r.cart_id = l.value AND +r.status = 'HELD' AND +r.location_id = :location_id
          AND r.id NOT IN (SELECT value ->> 'id' FROM json_each(:holds)))""",
        "stale",
        "'holds'",
    ),
    "reservations_by_cart",
)
ABANDON = Sql(
    """
    UPDATE carts SET status = 'ABANDONED', version = version + 1, updated_at = :now
    FROM json_each(:carts) l WHERE carts.id = l.value
    """,
    "carts.pk",
)


@job("rate(15 minutes)")
async def expire_carts(call: JobCall) -> dict[str, int]:
    last = call.after or {"expires_at": "", "position": 0}
    page = {"now": call.now, "after": last["expires_at"], "position": last["position"], "rows": ROWS_MAX}
    carts, holds = await call.read(EXPIRED(**page), HOLDS(**page, location_id=LOCATION))
    held: dict[str, list[Row]] = {}
    for hold in holds:
        held.setdefault(hold["cart_id"], []).append(hold)

    def plan(some: Sequence[Row]) -> list[Statement]:
        ids = dumps([cart["id"] for cart in some])
        ending = [hold for cart in some for hold in held.get(cart["id"], [])]
        released, freed = releases(ending, call.ids("move", len(ending)))
        return [
            CARTS_AS_READ(carts=ids, now=call.now),
            NO_OTHER_HOLDS(carts=ids, location_id=LOCATION, holds=dumps(released)),
            *stock.release(dumps(released), dumps(freed), call.actor, call.now),
            ABANDON(carts=ids, now=call.now),
        ]

    return {"abandoned": await call.settle(carts, plan)}


handler = expire_carts.handler

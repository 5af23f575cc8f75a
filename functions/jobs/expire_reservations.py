"""Every minute: end the holds whose time is over and put their pieces back, or change nothing.

Hygiene only: reads already count such pieces as available, and whoever takes stock releases them first. Of a job and
a buyer who release the same hold at once, one finds it held; the other reads again.
"""

from collections.abc import Sequence

from api.call import dumps
from api.job import ROWS_MAX, JobCall, job
from db.helper import Row
from db.sql import Sql, Statement
from db.statements import stock
from db.statements.stock import LOCATION
from domain.stock import releases

EXPIRED = Sql(
    """
    SELECT id, variant_id, quantity, expires_at, 'EXPIRED' AS status, rowid AS position FROM reservations
    WHERE status = 'HELD' AND expires_at <= :now AND (expires_at, rowid) > (:after, :position)
      AND +location_id = :location_id
    ORDER BY expires_at, rowid LIMIT :rows
    """,
    "reservations_by_expires_at",
)


@job("rate(1 minute)")
async def expire_reservations(call: JobCall) -> dict[str, int]:
    last = call.after or {"expires_at": "", "position": 0}
    page = {"after": last["expires_at"], "position": last["position"], "rows": ROWS_MAX}
    [holds] = await call.read(EXPIRED(now=call.now, location_id=LOCATION, **page))

    def plan(some: Sequence[Row]) -> list[Statement]:
        released, freed = releases(some, call.ids("move", len(some)))
        return stock.release(dumps(released), dumps(freed), call.actor, call.now)

    return {"expired": await call.settle(holds, plan)}


handler = expire_reservations.handler

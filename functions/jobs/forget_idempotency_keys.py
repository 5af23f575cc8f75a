"""Every 15 minutes: remove the remembered answers whose day is over, or change nothing.

Hygiene only: an expired answer is not given again, and its key counts as new. One batch a round; the row that a
request is just writing under an old key is not expired, so it stays.
"""

from api.job import ROWS_MAX, JobCall, job
from db.sql import Sql

FORGET = Sql(
    """
    DELETE FROM idempotency_keys WHERE (scope, key) IN (
      SELECT scope, key FROM idempotency_keys WHERE expires_at <= :now ORDER BY expires_at LIMIT :rows)
    RETURNING expires_at
    """,
    "idempotency_keys_by_expires_at",
    "idempotency_keys.pk",
)


@job("rate(15 minutes)")
async def forget_idempotency_keys(call: JobCall) -> dict[str, int]:
    [rows] = await call.batch([FORGET(now=call.now, rows=ROWS_MAX)])
    call.last = rows[-1] if rows else None
    return {"forgotten": len(rows)}


handler = forget_idempotency_keys.handler

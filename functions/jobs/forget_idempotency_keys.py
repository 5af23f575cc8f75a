"""Every 15 minutes: remove the remembered answers whose day is over, and the counts of limits whose window is.

Hygiene only: an expired answer is not given again, and its key counts as new; a window that is over limits nobody. One
batch a round; the row that a request is just writing under an old key is not expired, so it stays.
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
FORGET_COUNTS = Sql(
    """
    DELETE FROM rate_limits WHERE (scope, window) IN (
      SELECT scope, window FROM rate_limits WHERE expires_at <= :now ORDER BY expires_at LIMIT :rows)
    RETURNING expires_at
    """,
    "rate_limits_by_expires_at",
    "rate_limits.pk",
)


@job("rate(15 minutes)")
async def forget_idempotency_keys(call: JobCall) -> dict[str, int]:
    forgetting = [sql(now=call.now, rows=ROWS_MAX) for sql in (FORGET, FORGET_COUNTS)]
    answers, counts = await call.batch(forgetting)
    call.last = next(iter([*answers, *counts]), None)
    return {"forgotten": len(answers), "counts": len(counts)}


handler = forget_idempotency_keys.handler

"""Once a day: count the rows that were deleted softly, in each table that has any, and change nothing.

Such rows stay for the history that names them, so they only become more, and nobody sees them: the counts are gauges
(docs/observability.md). Two runs at once count the same twice.
"""

from typing import Final

from api import telemetry
from api.clock import stamp
from api.job import JobCall, job
from db.sql import Sql

TABLES: Final = (
    "categories", "collections", "media", "producers", "products", "sell_submissions", "users", "variants",
)  # fmt: skip
COUNTED_MAX: Final = 100_000
"""Rows of a table that are counted, the newest deletions first; a table with more is said to have as many."""
DAY_MILLISECONDS: Final = 86_400_000

DELETED: Final = {
    table: Sql(
        f"""
        SELECT count(*) AS counted, coalesce(sum(deleted_at > :since), 0) AS lately
        FROM (SELECT deleted_at FROM {table} WHERE deleted_at > '' ORDER BY deleted_at DESC LIMIT :most)
        """,
        f"{table}_by_deleted_at",
    )
    for table in TABLES
}


@job("rate(1 day)")
async def measure_soft_deletes(call: JobCall) -> dict[str, int]:
    since = stamp(call.milliseconds - DAY_MILLISECONDS)
    found = await call.read(*[sql(since=since, most=COUNTED_MAX) for sql in DELETED.values()])
    counted = {table: row["counted"] for table, [row] in zip(TABLES, found, strict=True)}
    lately = {table: row["lately"] for table, [row] in zip(TABLES, found, strict=True)}
    telemetry.observe_soft_deletes(counted, lately)
    return {"deleted": sum(counted.values()), "last_day": sum(lately.values())}


handler = measure_soft_deletes.handler

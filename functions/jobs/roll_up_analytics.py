"""Every 15 minutes: count the events of each day that got new ones, or change nothing.

Exact, late events included: a day is counted again as a whole, and taken off the list of stale days in the batch that
counts it; an event that comes afterwards puts the day back on the list in its own batch. Two roll-ups at once do the
same work twice.
"""

from typing import Final

from api.job import JobCall, job
from db.sql import Sql

DAYS_MAX: Final = 3
"""Days of one batch: few, because nobody else writes while they are counted."""

# A day that is no date (nobody but a hand on the database can write one) is left alone, and stops no other.
_DAYS = """
    SELECT date FROM analytics_stale_days WHERE date > :after AND date GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'
    ORDER BY date LIMIT :days
"""
# Every text that begins with the date lies between the date and the date with the last ASCII letter behind it.
COUNT = Sql(
    f"""
    INSERT INTO analytics_daily (date, event_type, events, users, sessions, created_at, updated_at)
    SELECT d.date, e.event_type, count(*), count(DISTINCT e.user_id), count(DISTINCT e.session_id), :now, :now
    FROM ({_DAYS}) d CROSS JOIN analytics_events e
    WHERE e.timestamp >= d.date AND e.timestamp < d.date || '~'
    GROUP BY d.date, e.event_type
    ON CONFLICT (date, event_type) DO UPDATE SET events = excluded.events, users = excluded.users,
      sessions = excluded.sessions, updated_at = excluded.updated_at
    """,
    "analytics_stale_days.pk",
    "idx_analytics_timestamp",
)
COUNTED = Sql(
    f"DELETE FROM analytics_stale_days WHERE date IN ({_DAYS}) RETURNING date",
    "analytics_stale_days.pk",
)


@job("rate(15 minutes)")
async def roll_up_analytics(call: JobCall) -> dict[str, int]:
    days = {"after": call.after["date"] if call.after else "", "days": DAYS_MAX}
    _, counted = await call.batch([COUNT(**days, now=call.now), COUNTED(**days)])
    call.last = max(counted, key=lambda row: row["date"], default=None)
    return {"days": len(counted)}


handler = roll_up_analytics.handler

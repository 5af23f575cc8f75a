"""GET /analytics/daily: events, people and visits of each day and type, the latest day first. Changes nothing.

Staff with `analytics:read`. Days are counted by a job; what came in since its last run is not in them yet.
"""

from typing import Annotated

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, Time
from db.sql import Sql

BEFORE_ALL = ""
AFTER_ALL = "~"
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", description="A day in UTC.", examples=["2026-11-21"])]


class ListDailyAnalyticsRequest(PageRequest):
    event_type: str | None = Field(default=None, pattern=r"^[a-z0-9_.]{1,100}$", description="Only of this type.")
    since: Day | None = Field(default=None, description="This day or later.")
    until: Day | None = Field(default=None, description="This day or earlier.")


class DailyAnalytics(Shape):
    date: Day
    event_type: str
    events: int = Field(ge=1, description="Events of this type on this day.")
    users: int = Field(ge=0, description="Different people among them who were logged in.")
    sessions: int = Field(ge=0, description="Different visits among them.")
    updated_at: Time = Field(description="When the day was last counted.")


def _list(condition: str, index: str) -> Sql:
    """The page before (:before, :type), the latest day first."""
    return Sql(
        f"""
        SELECT json_object('date', date, 'event_type', event_type, 'events', events, 'users', users,
          'sessions', sessions, 'updated_at', updated_at) AS item, date, event_type
        FROM analytics_daily INDEXED BY {index}
        WHERE {condition} date >= :since AND (date, event_type) < (:before, :type)
        ORDER BY date DESC, event_type DESC LIMIT :rows
        """,
        index,
    )


DAYS = _list("", "idx_analytics_daily_date")
DAYS_OF_TYPE = _list("event_type = :event_type AND", "idx_analytics_daily_type")


@endpoint("GET /analytics/daily", permission="analytics:read")
async def list_daily_analytics(request: ListDailyAnalyticsRequest, call: Call) -> Answer[Page[DailyAnalytics]]:
    await call.check_times(since=request.since, until=request.until)
    before, type_ = call.after(request, "latest") or (request.until or AFTER_ALL, AFTER_ALL)
    window = {"since": request.since or BEFORE_ALL, "before": before, "type": type_, "rows": request.limit + 1}
    if request.event_type is not None:
        statement = DAYS_OF_TYPE(event_type=request.event_type, **window)
    else:
        statement = DAYS(**window)
    [rows] = await call.read(statement)
    return call.page(request, rows, ("date", "event_type"), "latest")


handler = Mangum(list_daily_analytics, lifespan="off", text_mime_types=TEXT)

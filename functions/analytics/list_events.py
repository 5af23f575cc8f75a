"""GET /events: recorded events, newest first, by type, by person and by time. Changes nothing.

Staff with `analytics:read`. Events of the same millisecond keep the order in which they reached us.
"""

from typing import Any

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, Time, id_of
from db.sql import Sql

BEFORE_ALL = ""
AFTER_ALL = "~"


class ListEventsRequest(PageRequest):
    event_type: str | None = Field(default=None, pattern=r"^[a-z0-9_.]{1,100}$", description="Only of this type.")
    user: id_of("user") | None = None  # type: ignore[valid-type]
    since: Time | None = Field(default=None, description="Happened at this time or later.")
    until: Time | None = Field(default=None, description="Happened before this time.")


class RecordedEvent(Shape):
    id: id_of("event")  # type: ignore[valid-type]
    event_type: str
    timestamp: Time = Field(description="When it happened, by the client's word.")
    user_id: str | None
    session_id: str | None
    properties: dict[str, Any]
    created_at: Time = Field(description="When it reached us.")


def _list(condition: str, index: str) -> Sql:
    """The page before (:before, :position), newest first, by one of the indexes that end in `timestamp`."""
    return Sql(
        f"""
        SELECT json_object('id', id, 'event_type', event_type, 'timestamp', timestamp, 'user_id', user_id,
          'session_id', session_id, 'properties', json(properties), 'created_at', created_at) AS item,
          timestamp, rowid AS position
        FROM analytics_events
        WHERE {condition} timestamp >= :since AND (timestamp, rowid) < (:before, :position)
        ORDER BY timestamp DESC, rowid DESC LIMIT :rows
        """,
        index,
    )


EVENTS = _list("", "idx_analytics_timestamp")
EVENTS_OF_TYPE = _list("event_type = :event_type AND", "idx_analytics_event_type")
EVENTS_OF_USER = _list(
    "user_id = :user_id AND (:event_type IS NULL OR +event_type = :event_type) AND", "idx_analytics_user"
)


@endpoint("GET /events", permission="analytics:read")
async def list_events(request: ListEventsRequest, call: Call) -> Answer[Page[RecordedEvent]]:
    await call.check_times(since=request.since, until=request.until)
    # A position of 0 stands before every row of that millisecond: `until` itself is not in the list.
    before, position = call.after(request, "newest") or (request.until or AFTER_ALL, 0)
    window = {"since": request.since or BEFORE_ALL, "before": before, "position": position, "rows": request.limit + 1}
    if request.user is not None:
        statement = EVENTS_OF_USER(user_id=request.user, event_type=request.event_type, **window)
    elif request.event_type is not None:
        statement = EVENTS_OF_TYPE(event_type=request.event_type, **window)
    else:
        statement = EVENTS(**window)
    [rows] = await call.read(statement)
    return call.page(request, rows, ("timestamp", "position"), "newest")


handler = Mangum(list_events, lifespan="off", text_mime_types=TEXT)

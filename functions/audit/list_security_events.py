"""GET /security-events: log-ins, failures, lock-outs and changes of rights, newest first. Changes nothing.

Staff with `security:read`. The address and the client's words stand there as long as they have not been erased.
"""

from typing import Any

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, Time, id_of
from db.sql import Sql

AFTER_ALL = "~"


class ListSecurityEventsRequest(PageRequest):
    user: id_of("user") | None = None  # type: ignore[valid-type]
    type: str | None = Field(default=None, pattern="^[a-z_]{1,100}$", examples=["log_in_failed"])


class SecurityEvent(Shape):
    id: id_of("event")  # type: ignore[valid-type]
    user_id: str | None = Field(description="Whom it concerns; null for somebody unknown.")
    type: str
    ip_address: str | None
    user_agent: str | None
    payload: dict[str, Any]
    created_at: Time


def _list(condition: str, index: str) -> Sql:
    """The page before :before, newest first: ids sort by time."""
    value = "json((SELECT p.value FROM personal_values p WHERE p.row_id = e.id AND p.name ="
    return Sql(
        f"""
        SELECT json_object('id', e.id, 'user_id', e.user_id, 'type', e.type, 'ip_address', {value} 'ip_address')),
          'user_agent', {value} 'user_agent')), 'payload', json(e.payload), 'created_at', e.created_at) AS item, e.id
        FROM security_events e WHERE {condition} e.id < :before ORDER BY e.id DESC LIMIT :rows
        """,
        index,
        "personal_values.pk",
    )


EVENTS = _list("", "security_events.pk")
EVENTS_OF_TYPE = _list("e.type = :type AND", "security_events_by_type")
EVENTS_OF_USER = _list("e.user_id = :user_id AND (:type IS NULL OR +e.type = :type) AND", "security_events_by_user")


@endpoint("GET /security-events", permission="security:read")
async def list_security_events(request: ListSecurityEventsRequest, call: Call) -> Answer[Page[SecurityEvent]]:
    [before] = call.after(request, "newest") or [AFTER_ALL]
    window = {"before": before, "rows": request.limit + 1}
    if request.user is not None:
        statement = EVENTS_OF_USER(user_id=request.user, type=request.type, **window)
    elif request.type is not None:
        statement = EVENTS_OF_TYPE(type=request.type, **window)
    else:
        statement = EVENTS(**window)
    [rows] = await call.read(statement)
    return call.page(request, rows, ("id",), "newest")


handler = Mangum(list_security_events, lifespan="off", text_mime_types=TEXT)

"""GET /me/sessions: where the person is logged in, the newest first. Changes nothing.

Whoever has logged in. A session that ended or expired is not shown.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, Shape, Time, id_of
from db.sql import Sql


class ListSessionsRequest(PageRequest):
    """Nothing but a page."""


class ListedSession(Shape):
    id: id_of("session")  # type: ignore[valid-type]
    ip_address: str | None = Field(description="Of its last log-in or refresh.")
    user_agent: str | None = Field(description="What the browser or program said of itself.")
    current: bool = Field(description="Whether it is the one that asks.")
    last_used_at: Time = Field(description="Its last log-in or refresh.")
    expires_at: Time
    created_at: Time


SESSIONS = Sql(
    """
    SELECT s.id, json_object('id', s.id, 'ip_address', s.ip_address, 'user_agent', s.user_agent,
      'current', json(CASE WHEN s.id = :current THEN 'true' ELSE 'false' END), 'last_used_at', s.last_used_at,
      'expires_at', s.expires_at, 'created_at', s.created_at) AS item
    FROM user_sessions s
    WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND +s.expires_at > :now AND s.id < :after
    ORDER BY s.id DESC LIMIT :count
    """,
    "user_sessions_by_user",
)


@endpoint("GET /me/sessions", permission=PERSON)
async def list_sessions(request: ListSessionsRequest, call: Call) -> Answer[Page[ListedSession]]:
    await call.judged()
    [after] = call.after(request, "newest") or ["~"]
    own = {"user_id": call.actor.user_id, "current": call.actor.session_id}
    [rows] = await call.read(SESSIONS(**own, now=call.now, after=after, count=request.limit + 1))
    return call.page(request, rows, ("id",), "newest")


handler = Mangum(list_sessions, lifespan="off", text_mime_types=TEXT)

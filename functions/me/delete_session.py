"""DELETE /me/sessions/{session}: end one of the person's own sessions, or change nothing.

Whoever has logged in; somebody else's session is as one that never was. Of two at once the second finds it ended.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql, guard
from db.statements import people


class DeleteSessionRequest(Shape):
    session: str = Field(max_length=100, description="The session's id.")


OWN = Sql(
    guard(
        "EXISTS (SELECT 1 FROM user_sessions "
        "WHERE id = :session_id AND +user_id = :user_id AND revoked_at IS NULL AND expires_at > :now)",
        "not_found",
    ),
    "user_sessions.pk",
)


@endpoint("DELETE /me/sessions/{session}", status=204, permission=PERSON, errors=("not_found",))
async def delete_session(request: DeleteSessionRequest, call: Call) -> Answer[None]:
    await call.judged()
    own = {"user_id": call.actor.user_id, "session_id": request.session, "now": call.now}
    call.happened("session_ended", call.actor.user_id, session_id=request.session)
    return await call.commit([OWN(**own), people.END_SESSION(**own)], Answer(None))


handler = Mangum(delete_session, lifespan="off", text_mime_types=TEXT)

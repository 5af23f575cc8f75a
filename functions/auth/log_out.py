"""POST /auth/log-out: end the session that asks, or change nothing.

Whoever has logged in. Its tokens are good for nothing from now on, and a browser's cookies are taken away. Of two at
once one finds a session that is over, which is 401 as for any other request of it.
"""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.sessions import no_cookies
from api.shapes import Shape
from db.statements import people


class LogOutRequest(Shape):
    """Nothing."""


@endpoint("POST /auth/log-out", status=204, permission=PERSON)
async def log_out(request: LogOutRequest, call: Call) -> Answer[None]:
    await call.judged()
    own = {"user_id": call.actor.user_id, "session_id": call.actor.session_id}
    call.happened("log_out", call.actor.user_id, session_id=call.actor.session_id)
    return await call.commit([people.END_SESSION(**own, now=call.now)], Answer(None, cookies=no_cookies(call)))


handler = Mangum(log_out, lifespan="off", text_mime_types=TEXT)

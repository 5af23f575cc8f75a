"""POST /auth/refresh: exchange a refresh token for the next tokens of its session, or change nothing.

Whoever has the token, in the body or in a browser's cookie (then with any X-CSRF-Token: another site's page cannot send
that header). Each is good once. One that was used before comes from a thief, or from who was robbed: the session ends
and a security event says so. Of two at once the second finds it used, so both lose the session.
"""

from mangum import Mangum
from pydantic import Field

from api import trail
from api.auth import PUBLIC, cookie_of, hash_of
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.people_shapes import Tokens
from api.problems import Problem
from api.sessions import REFRESH_COOKIE, REFRESH_PREFIX, fingerprint, handed, new_refresh_token
from api.shapes import Shape
from api.tokens import Session
from db.sql import Sql, guard
from db.statements import people


class RefreshSessionRequest(Shape):
    refresh_token: str | None = Field(
        default=None, max_length=200, description="Left out by a browser: it is a cookie."
    )


SESSION_BY_TOKEN = Sql(
    f"""
    SELECT s.id, s.user_id, {people.PERSON} AS person FROM user_sessions s JOIN live_users u ON u.id = s.user_id
    WHERE s.refresh_token_hash = :token_hash AND s.revoked_at IS NULL AND +s.expires_at > :now AND +u.status = 'ACTIVE'
    """,
    "user_sessions_token_once",
    "users.pk",
    *people.PERSON_INDEXES,
)
SESSION_OF_USED = Sql(
    """
    SELECT s.id, s.user_id, s.revoked_at FROM used_refresh_tokens t JOIN user_sessions s ON s.id = t.session_id
    WHERE t.token_hash = :token_hash
    """,
    "used_refresh_tokens.pk",
    "user_sessions.pk",
)
STILL_ITS_TOKEN = Sql(
    guard(
        "EXISTS (SELECT 1 FROM user_sessions WHERE refresh_token_hash = :token_hash AND revoked_at IS NULL)",
        "stale",
        "'session'",
    ),
    "user_sessions_token_once",
)
USE_TOKEN = Sql("""
    INSERT INTO used_refresh_tokens (token_hash, session_id, created_at, updated_at)
    VALUES (:token_hash, :session_id, :now, :now)
""")
NEXT_TOKEN = Sql(
    """
    UPDATE user_sessions SET refresh_token_hash = :next_hash, fingerprint = :fingerprint, ip_address = :ip_address,
      user_agent = :user_agent, last_used_at = :now, expires_at = :expires_at, updated_at = :now
    WHERE id = :session_id
    """,
    "user_sessions.pk",
)


@endpoint("POST /auth/refresh", permission=PUBLIC, errors=("csrf_token_invalid",))
async def refresh_session(request: RefreshSessionRequest, call: Call) -> Answer[Tokens]:
    in_cookie = request.refresh_token is None
    token = cookie_of(call.asked.headers, REFRESH_COOKIE) if in_cookie else request.refresh_token
    if in_cookie and token and not call.header("x-csrf-token"):
        raise Problem("csrf_token_invalid")
    if not token or not token.startswith(REFRESH_PREFIX):
        raise Problem("unauthenticated")
    hashed, now = hash_of(token), call.now
    living, used = await call.read(SESSION_BY_TOKEN(token_hash=hashed, now=now), SESSION_OF_USED(token_hash=hashed))
    if used and used[0]["revoked_at"] is None:
        stolen = {"session_id": used[0]["id"], "user_id": used[0]["user_id"]}
        event = trail.security_event(call, "refresh_token_reused", stolen["user_id"], session_id=stolen["session_id"])
        await call.write([people.END_SESSION(**stolen, now=now), *event])
    if not living:
        raise Problem("unauthenticated")
    session, following = living[0], new_refresh_token()
    plan = [
        STILL_ITS_TOKEN(token_hash=hashed),
        USE_TOKEN(token_hash=hashed, session_id=session["id"], now=now),
        NEXT_TOKEN(
            session_id=session["id"],
            next_hash=hash_of(following),
            fingerprint=fingerprint(call),
            ip_address=call.asked.ip_address,
            user_agent=call.user_agent,
            expires_at=call.later(call.settings.refresh_token_ttl),
            now=now,
        ),
    ]
    tokens = handed(call, Session(session["user_id"], session["id"]), following, cookies=in_cookie)
    return await call.commit(plan, tokens.answer(session["person"]))


handler = Mangum(refresh_session, lifespan="off", text_mime_types=TEXT)

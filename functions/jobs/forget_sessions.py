"""Every hour: remove sessions, tokens and states of sign-ins whose time is over. Changes nothing that counts.

Hygiene only: what is expired is refused wherever it is shown. A session goes with the refresh tokens that it used up,
so one that was reused is still known as long as its session could live.
"""

from api.job import ROWS_MAX, JobCall, job
from db.sql import Sql

_SESSIONS = "SELECT id FROM user_sessions WHERE expires_at <= :now ORDER BY expires_at LIMIT :rows"
FORGET_USED = Sql(
    f"DELETE FROM used_refresh_tokens WHERE session_id IN ({_SESSIONS})",
    "user_sessions_by_expires_at",
    "used_refresh_tokens_by_session",
)
FORGET_SESSIONS = Sql(
    f"DELETE FROM user_sessions WHERE id IN ({_SESSIONS}) RETURNING id",
    "user_sessions_by_expires_at",
    "user_sessions.pk",
)


def _forgetting(table: str, key: str) -> Sql:
    return Sql(
        f"""
        DELETE FROM {table} WHERE {key} IN (
          SELECT {key} FROM {table} WHERE expires_at <= :now ORDER BY expires_at LIMIT :rows)
        RETURNING {key} AS id
        """,
        f"{table}_by_expires_at",
        f"{table}.pk",
    )


FORGET_VERIFICATIONS = _forgetting("verification_tokens", "id")
FORGET_RESETS = _forgetting("password_resets", "id")
FORGET_STATES = _forgetting("oauth_states", "state_hash")


@job("rate(1 hour)")
async def forget_sessions(call: JobCall) -> dict[str, int]:
    statements = (FORGET_USED, FORGET_SESSIONS, FORGET_VERIFICATIONS, FORGET_RESETS, FORGET_STATES)
    forgetting = [sql(now=call.now, rows=ROWS_MAX) for sql in statements]
    _, sessions, verifications, resets, states = await call.batch(forgetting)
    call.last = next(iter([*sessions, *verifications, *resets, *states]), None)
    tokens = len(verifications) + len(resets)
    return {"sessions": len(sessions), "tokens": tokens, "states": len(states)}


handler = forget_sessions.handler

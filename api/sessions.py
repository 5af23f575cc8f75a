"""Sessions of people: what opens one, and what the person is handed: tokens in the body, or in cookies."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from api import auth, tokens
from api.call import Answer, dumps
from api.tokens import Session
from db.sql import Statement
from db.statements import people

if TYPE_CHECKING:
    from api.call import Call
    from api.people_shapes import Tokens

REFRESH_PREFIX: Final = "rt_"
REFRESH_COOKIE: Final = "refresh_token"
REFRESH_PATH: Final = "/auth"
CSRF_COOKIE: Final = "csrf_token"


class Handed(NamedTuple):
    """What a person is handed of a session: the members of `Tokens` but for the user, and the cookies."""

    members: dict[str, Any]
    cookies: tuple[str, ...]

    def answer(self, person: str) -> Answer[Tokens]:
        """The answer with these and the person, a JSON text."""
        return Answer(f'{dumps(self.members)[:-1]},"user":{person}}}', cookies=self.cookies)


class Opening(NamedTuple):
    """A session to be opened: its id, the statements of the batch, and what is handed out once that is kept."""

    session_id: str
    statements: list[Statement]
    handed: Handed

    def answer(self, person: str) -> Answer[Tokens]:
        return self.handed.answer(person)


def opening(call: Call, user_id: str, *, stepped_up: bool, cookies: bool) -> Opening:
    """A new session of a user. `stepped_up`: the second factor was shown just now."""
    session_id, refresh_token = call.id("session"), new_refresh_token()
    statement = people.ADD_SESSION(
        id=session_id,
        user_id=user_id,
        refresh_token_hash=auth.hash_of(refresh_token),
        fingerprint=fingerprint(call),
        ip_address=call.asked.ip_address,
        user_agent=call.user_agent,
        stepped_up_at=call.now if stepped_up else None,
        expires_at=call.later(call.settings.refresh_token_ttl),
        now=call.now,
    )
    return Opening(session_id, [statement], handed(call, Session(user_id, session_id), refresh_token, cookies=cookies))


def new_refresh_token() -> str:
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def fingerprint(call: Call) -> str:
    """SHA-256 in hex of what a client says of itself: tells one browser from another in a list of sessions."""
    said = [call.user_agent, call.header("accept-language"), call.header("sec-ch-ua-platform")]
    return hashlib.sha256(dumps(said).encode()).hexdigest()


def handed(call: Call, session: Session, refresh_token: str, *, cookies: bool) -> Handed:
    """The tokens of a session, in the body or in cookies."""
    known = call.settings
    access_token = tokens.write_access_token(
        known.secret_key, session, call.milliseconds, known.access_token_ttl
    )  # fmt: skip
    csrf_token = tokens.csrf_token(known.secret_key, session.session_id) if cookies else None
    members = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": known.access_token_ttl,
        "refresh_token": None if cookies else refresh_token,
        "csrf_token": csrf_token,
    }
    if csrf_token is None:
        return Handed(members, ())
    return Handed(
        members,
        (
            _cookie(call, auth.ACCESS_COOKIE, access_token, known.access_token_ttl, "Path=/; HttpOnly; SameSite=Lax"),
            _refresh_cookie(call, refresh_token, known.refresh_token_ttl),
            _cookie(call, CSRF_COOKIE, csrf_token, known.refresh_token_ttl, "Path=/; SameSite=Strict"),
        ),
    )


def no_cookies(call: Call) -> tuple[str, ...]:
    """The cookies of a session that is over: they end at once."""
    return (
        _cookie(call, auth.ACCESS_COOKIE, "", 0, "Path=/; HttpOnly; SameSite=Lax"),
        _refresh_cookie(call, "", 0),
        _cookie(call, CSRF_COOKIE, "", 0, "Path=/; SameSite=Strict"),
    )


def _refresh_cookie(call: Call, value: str, seconds: int) -> str:
    return _cookie(call, REFRESH_COOKIE, value, seconds, f"Path={REFRESH_PATH}; HttpOnly; SameSite=Strict")


def _cookie(call: Call, name: str, value: str, seconds: int, attributes: str) -> str:
    secure = "" if call.settings.shop_url.startswith("http://") else "; Secure"
    return f"{name}={value}; Max-Age={seconds}; {attributes}{secure}"

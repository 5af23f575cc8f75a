"""Access tokens of people: JWTs of one algorithm, signed with keys derived from SECRET_KEY.

A token says who (`sub`) and in which session (`sid`); what they may do is read from the database at each request, so a
role that is taken away is gone at once. The key is named by `kid`, which is looked up among ours and nowhere else; the
first of SECRET_KEY signs, all verify, so a rotation logs nobody out. Source: RFC 7519, RFC 8725.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from api.problems import Problem

ALGORITHM: Final = "HS256"
ISSUER: Final = "tallystick"
AUDIENCE: Final = "tallystick-api"
TOKEN_LENGTH_MAX: Final = 1_000
REQUIRED: Final = ["exp", "iat", "nbf", "iss", "aud", "sub", "sid"]


class Session(NamedTuple):
    """What a verified access token says: ids of the user and of the session."""

    user_id: str
    session_id: str


@lru_cache(maxsize=8)
def _keys(secrets: tuple[bytes, ...]) -> dict[str, bytes]:
    """Our keys by id, the signing one first."""
    keys = [hmac.digest(secret, b"tallystick access token", "sha256") for secret in secrets]
    return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}


def write_access_token(secrets: Sequence[bytes], session: Session, milliseconds: int, seconds: int) -> str:
    """A token for `session`, made at `milliseconds` since 1970 and good for `seconds`."""
    import jwt

    kid, key = next(iter(_keys(tuple(secrets)).items()))
    now = milliseconds // 1000
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": session.user_id,
        "sid": session.session_id,
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


class _Claims(NamedTuple):
    """What a token says whose signature was verified."""

    session: Session
    begins: int
    ends: int


def read_access_token(secrets: Sequence[bytes], token: str, milliseconds: int) -> Session:
    """Who a token is of. Raises 401, whatever is wrong with it, always the same."""
    claims = _verified(tuple(secrets), token)
    if not claims.begins <= milliseconds // 1000 < claims.ends:
        raise Problem("unauthenticated")
    return claims.session


@lru_cache(maxsize=1_024)
def _verified(secrets: tuple[bytes, ...], token: str) -> _Claims:
    """The claims of a token that we signed. The same one comes for a quarter of an hour, and verifying it costs more
    than reading its session. A wrong one raises each time, and takes no room here."""
    import jwt

    try:
        if len(token) > TOKEN_LENGTH_MAX:
            raise ValueError("too long")
        kid = jwt.get_unverified_header(token).get("kid")
        key = _keys(secrets)[kid] if isinstance(kid, str) else None
        if key is None:
            raise ValueError("no key")
        # The times are held against the shop's clock, above; that they are there is asked here.
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER,
            options={"require": REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )  # fmt: skip
        session = Session(str(claims["sub"]), str(claims["sid"]))
        return _Claims(session, int(claims["nbf"]), int(claims["exp"]))
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise Problem("unauthenticated") from None


@lru_cache(maxsize=8)
def _csrf_key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"tallystick csrf token", "sha256")


def csrf_token(secrets: Sequence[bytes], session_id: str) -> str:
    """What a page sends as X-CSRF-Token beside the session's cookie, to show that it is ours and not another's."""
    return hmac.new(_csrf_key(secrets[0]), session_id.encode(), hashlib.sha256).hexdigest()


def is_csrf_token(secrets: Sequence[bytes], session_id: str, token: str) -> bool:
    """Whether `token` is the session's, under any of our secrets."""
    sent = token.encode("utf-8", "replace")
    return any(hmac.compare_digest(csrf_token([secret], session_id).encode(), sent) for secret in secrets)

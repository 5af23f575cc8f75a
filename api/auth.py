"""Who calls: a person (an access token, as bearer or in a cookie), an API key (`Bearer sk_…`), or nobody.

A credential is first read (`credential_of`: its form and signature), then asked for in the first read of the request
(`question`), and judged by what was found (`actor_from`): what was revoked, suspended or taken away counts at once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from api import tokens
from api.problems import Problem
from api.tokens import Session
from db.sql import Sql, Statement

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed_in"
"""Whoever has a key or has logged in; the handler says what of theirs they see."""
PERSON: Final = "person"
"""Whoever has logged in, for what is theirs alone; an API key is nobody's."""
EVERYBODYS: Final = (PUBLIC, SIGNED_IN, PERSON)
"""The policies that are no permission."""
EVERYTHING: Final = "*"
KEY_PREFIX: Final = "sk_"
ACCESS_COOKIE: Final = "access_token"
STEP_UP_SECONDS: Final = 600
"""How long a second factor, or the password again, is good for what needs it."""

KEY_BY_HASH = Sql(
    "SELECT id, scopes, expires_at, revoked_at FROM api_keys WHERE hash = :hash",
    "api_keys_hash_once",
)
# `granted` by roles, `effects` for this one person.
USER_BY_SESSION = Sql(
    """
    SELECT u.id, u.status, s.expires_at, s.revoked_at, s.stepped_up_at,
      (SELECT json_group_array(p.key) FROM user_roles r JOIN role_permissions g ON g.role_id = r.role_id
        JOIN permissions p ON p.id = g.permission_id WHERE r.user_id = s.user_id) AS granted,
      (SELECT json_group_object(p.key, e.effect) FROM user_permissions e JOIN permissions p ON p.id = e.permission_id
        WHERE e.user_id = s.user_id) AS effects
    FROM user_sessions s JOIN live_users u ON u.id = s.user_id
    WHERE s.id = :session_id AND +s.user_id = :user_id
    """,
    "user_sessions.pk",
    "users.pk",
    "user_roles.pk",
    "role_permissions.pk",
    "permissions.pk",
    "user_permissions.pk",
    "permissions.pk",
)


class Actor(NamedTuple):
    """Who calls. `kind` is anonymous, api_key or user; `scopes` are permissions (`products:create`), `*` is all of
    them; `denied` wins over both."""

    id: str
    kind: str
    scopes: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    session_id: str | None = None
    stepped_up_at: str | None = None

    def may(self, permission: str) -> bool:
        if permission in self.denied or EVERYTHING in self.denied:
            return False
        return permission in self.scopes or EVERYTHING in self.scopes

    @property
    def user_id(self) -> str | None:
        return self.id if self.kind == "user" else None

    @property
    def api_key_id(self) -> str | None:
        return self.id if self.kind == "api_key" else None


ANONYMOUS: Final = Actor("anonymous", "anonymous")


class Credential(NamedTuple):
    """What a request shows of itself: the hash of a key, or a session whose token was verified."""

    key_hash: str | None = None
    session: Session | None = None
    in_cookie: bool = False

    @property
    def user_id(self) -> str | None:
        return self.session.user_id if self.session else None


def new_key() -> tuple[str, str, str]:
    """A new API key: the key (shown once), its prefix (shown later), and its hash (all that is stored)."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, key[:10], hash_of(key)


def hash_of(secret: str) -> str:
    """SHA-256 in hex. Keys and tokens have 256 bits of chance, so a slow hash would gain nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def credential_of(
    headers: Mapping[bytes, bytes], permission: str, method: str, secret_key: Sequence[bytes], milliseconds: int
) -> Credential | None:
    """The credential of a request, None without one. Raises 401 for any other, and 403 for a cookie that another
    site's page may have sent."""
    header = headers.get(b"authorization")
    if header is None:
        return _from_cookie(headers, permission, method, secret_key, milliseconds)
    scheme, _, token = header.decode("latin-1").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.isascii():
        raise Problem("unauthenticated")
    if token.startswith(KEY_PREFIX) and len(token) <= 200:
        return Credential(key_hash=hash_of(token))
    return Credential(session=tokens.read_access_token(secret_key, token, milliseconds))


def _from_cookie(
    headers: Mapping[bytes, bytes], permission: str, method: str, secret_key: Sequence[bytes], milliseconds: int
) -> Credential | None:
    token = cookie_of(headers, ACCESS_COOKIE)
    if token is None:
        return None
    try:
        session = tokens.read_access_token(secret_key, token, milliseconds)
    except Problem:
        if permission == PUBLIC:  # a browser sends what it has, also to log in again
            return None
        raise
    sent = headers.get(b"x-csrf-token", b"").decode("latin-1")
    if method != "GET" and not tokens.is_csrf_token(secret_key, session.session_id, sent):
        raise Problem("csrf_token_invalid")
    return Credential(session=session, in_cookie=True)


def cookie_of(headers: Mapping[bytes, bytes], name: str) -> str | None:
    """The value of a cookie; None without one, or with two: the second may be planted by a neighbouring host. Other
    cookies may have any form, so they are not looked at."""
    pairs = [one.strip().partition("=") for one in headers.get(b"cookie", b"").decode("latin-1").split(";")]
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else None


def question(credential: Credential) -> Statement:
    """The first statement of a read: what is known of the credential."""
    if credential.session is not None:
        return USER_BY_SESSION(session_id=credential.session.session_id, user_id=credential.session.user_id)
    return KEY_BY_HASH(hash=credential.key_hash)


def actor_from(credential: Credential, rows: list[dict[str, Any]], permission: str, now: str) -> Actor:
    """The actor behind what was found. Raises 401 for an unknown, expired, revoked or suspended one, all alike."""
    row = rows[0] if rows else None
    if row is None or row["revoked_at"] is not None or (row["expires_at"] or "9") <= now:
        return _nobody(credential, permission)
    if credential.session is None:
        return Actor(row["id"], "api_key", frozenset(json.loads(row["scopes"])))
    if row["status"] != "ACTIVE":
        return _nobody(credential, permission)
    effects = json.loads(row["effects"])
    allowed = {key for key, effect in effects.items() if effect == "ALLOW"}
    return Actor(
        row["id"],
        "user",
        frozenset(json.loads(row["granted"])) | allowed,
        frozenset(effects) - allowed,
        credential.session.session_id,
        row["stepped_up_at"],
    )


def _nobody(credential: Credential, permission: str) -> Actor:
    if credential.in_cookie and permission == PUBLIC:
        return ANONYMOUS
    raise Problem("unauthenticated")


def permit(actor: Actor, permission: str) -> None:
    """Raises 401 or 403 unless the policy of an endpoint lets the actor in."""
    if permission == PUBLIC:
        return
    if actor.kind == "anonymous":
        raise Problem("unauthenticated")
    if permission == SIGNED_IN or (permission == PERSON and actor.kind == "user"):
        return
    if permission == PERSON or not actor.may(permission):
        raise Problem("forbidden")

"""Who calls: an API key (`Authorization: Bearer sk_…`), or nobody. People log in when identity comes."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any, Final, NamedTuple

from api.problems import Problem
from db.sql import Sql

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed_in"
"""Whoever has a key; the handler says what of theirs they see."""
EVERYTHING: Final = "*"
KEY_PREFIX: Final = "sk_"

KEY_BY_HASH = Sql(
    "SELECT id, scopes, expires_at, revoked_at FROM api_keys WHERE hash = :hash",
    "api_keys_hash_once",
)


class Actor(NamedTuple):
    """Who calls. `kind` is anonymous or api_key; `scopes` are permissions (`products:create`), `*` is all of them."""

    id: str
    kind: str
    scopes: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        return permission in self.scopes or EVERYTHING in self.scopes


ANONYMOUS: Final = Actor("anonymous", "anonymous")


def new_key() -> tuple[str, str, str]:
    """A new API key: the key (shown once), its prefix (shown later), and its hash (all that is stored)."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, key[:10], hash_of(key)


def hash_of(secret: str) -> str:
    """SHA-256 in hex. Keys and tokens have 256 bits of chance, so a slow hash would gain nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def credential_of(header: bytes | None) -> str | None:
    """The hash of the API key in an Authorization header, None without a header. Raises 401 for any other."""
    if header is None:
        return None
    scheme, _, token = header.decode("latin-1").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith(KEY_PREFIX) or not token.isascii() or len(token) > 200:
        raise Problem("unauthenticated")
    return hash_of(token)


def actor_from(rows: list[dict[str, Any]], now: str) -> Actor:
    """The actor behind the found key. Raises 401 for an unknown, expired or revoked one, all alike."""
    if not rows or rows[0]["revoked_at"] is not None or (rows[0]["expires_at"] or "9") <= now:
        raise Problem("unauthenticated")
    return Actor(rows[0]["id"], "api_key", frozenset(json.loads(rows[0]["scopes"])))

"""Idempotency keys: the answer is a row of the batch that it answers.

Scope: the caller. Fingerprint: method, path with its query, and canonical JSON body. Only what was done is remembered;
after a day the key is new. Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple

from api.problems import Problem
from db.sql import Sql, guard

REMEMBERED_SECONDS: Final = 86_400
KEY_LENGTH_MAX: Final = 255

RECALL = Sql(
    """
    SELECT fingerprint, status, headers, answer FROM idempotency_keys
    WHERE scope = :scope AND key = :key AND expires_at > :now
    """,
    "idempotency_keys.pk",
)
RECALL_OF_API_KEY = Sql(
    """
    SELECT fingerprint, status, headers, answer FROM idempotency_keys
    WHERE scope = (SELECT id FROM api_keys WHERE hash = :hash) AND key = :key AND expires_at > :now
    """,
    "api_keys_hash_once",
    "idempotency_keys.pk",
)
FRESH = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM idempotency_keys WHERE scope = :scope AND key = :key AND expires_at > :now)",
        "replay",
    ),
    "idempotency_keys.pk",
)
_KEEP: Final = """
    INSERT INTO idempotency_keys (scope, key, fingerprint, status, headers, answer, expires_at, created_at, updated_at)
"""
# Only an expired row can stand there: FRESH has spoken otherwise.
_ANEW: Final = """
    ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
      headers = excluded.headers, answer = excluded.answer, expires_at = excluded.expires_at,
      created_at = excluded.created_at, updated_at = excluded.updated_at
"""
REMEMBER = Sql(
    f"{_KEEP} VALUES (:scope, :key, :fingerprint, :status, :headers, :answer, :expires_at, :now, :now) {_ANEW}"
)


class Telling(NamedTuple):
    """A query for the answer, sent at the end of the batch; `kept` remembers the same for a replay."""

    told: Sql
    kept: Sql


def telling(source: str, *indexes: str) -> Telling:
    """`source` takes :now and gives one row: `answer`, a JSON object, and `version`, which becomes the ETag
    (null for none).

    For answers that others may change at the same time: nothing needs to be as it was read, so nobody runs again.
    """
    kept = f"""
        {_KEEP} SELECT :scope, :key, :fingerprint, :status,
          CASE WHEN t.version IS NULL THEN :headers
          ELSE json_insert(:headers, '$[#]', json_array('etag', '"' || t.version || '"')) END,
          substr(t.answer, 1, length(t.answer) - 1) || :ending, :expires_at, :now, :now
        FROM ({source}) t WHERE true {_ANEW}
    """
    return Telling(Sql(source, *indexes), Sql(kept, *indexes))


_PRINTABLE: Final = re.compile(r"[\x20-\x7e]{1,255}")


def key_of(header: bytes | None) -> str | None:
    """The key of an Idempotency-Key header, without the quotes of a structured field. Raises 422 for another form."""
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _PRINTABLE.fullmatch(text):
        raise Problem("invalid", errors=[("/headers/idempotency-key", "idempotency_key_form", {})])
    return text


def fingerprint(method: str, path: str, canonical_body: bytes) -> str:
    """SHA-256 in hex of what was asked."""
    return hashlib.sha256(b"%s %s\n%s" % (method.encode(), path.encode(), canonical_body)).hexdigest()

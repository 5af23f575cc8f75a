"""Keyset cursors, signed: what a client sends back is what we sent, for the same list, or it is refused (422)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from api.problems import invalid

SIGNATURE_BYTES: Final = 12


@lru_cache(maxsize=8)
def _signing_key(secret: bytes) -> bytes:
    return hmac.digest(secret, b"tallystick cursor", "sha256")


def _signature(secret: bytes, context: str, payload: bytes) -> bytes:
    return hmac.new(_signing_key(secret), context.encode() + b"\n" + payload, hashlib.sha256).digest()[:SIGNATURE_BYTES]


def write_cursor(secrets: Sequence[bytes], context: str, values: Sequence[Any]) -> str:
    """The cursor after the row whose sort key is `values`; `context` names the list with its filters and order."""
    payload = json.dumps(list(values), ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_signature(secrets[0], context, payload) + payload).rstrip(b"=").decode()


def read_cursor(secrets: Sequence[bytes], context: str, cursor: str) -> list[Any]:
    """The sort key in `cursor`. Raises 422 for one that we did not write for this list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise invalid("/cursor", "cursor") from None
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not any(hmac.compare_digest(signature, _signature(secret, context, payload)) for secret in secrets):
        raise invalid("/cursor", "cursor")
    values: list[Any] = json.loads(payload)
    return values


def next_link(path: str, query: str, cursor: str) -> str:
    """The `Link` header (RFC 8288) of the next page."""
    parameters = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f'<{path}?{urlencode([*parameters, ("cursor", cursor)])}>; rel="next"'

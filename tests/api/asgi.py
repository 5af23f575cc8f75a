"""A request straight into an endpoint's ASGI app: headers that come twice, bodies in pieces, paths as a server gives
them.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from api.endpoint import Endpoint

Headers = list[tuple[str, str]]
JSON: Headers = [("content-type", "application/json")]


@dataclass(frozen=True)
class Told:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None

    @property
    def code(self) -> Any:
        return self.body["code"] if self.status >= 400 else None

    @property
    def pointers(self) -> list[str]:
        return [error["pointer"] for error in self.body["errors"]]


def ask(
    endpoint: Endpoint,
    path: str,
    *,
    method: str | None = None,
    query: bytes = b"",
    headers: Headers | None = None,
    pieces: tuple[bytes, ...] = (b"",),
) -> Told:
    """The answer; the body is sent in `pieces`."""
    scope = {
        "type": "http",
        "method": method or endpoint.method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers or []],
    }
    waiting = list(pieces)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.get_event_loop().run_until_complete(endpoint(scope, receive, send))
    start, body = sent
    assert all(isinstance(name, bytes) and isinstance(value, bytes) for name, value in start["headers"])
    names = [name for name, _ in start["headers"]]
    assert len(names) == len(set(names)), "a header is answered once"
    return Told(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"])

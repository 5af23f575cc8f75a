"""A request and what was told, to an endpoint in this process; and who orders, wherever it is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

CUSTOMER: Final = {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"}
ADDRESS: Final = {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"}


@dataclass(frozen=True)
class Asking:
    """One request; `module` is that of the endpoint, where it is asked in this process."""

    module: str
    target: str
    method: str = "POST"
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    status: int
    code: str | None
    body: Any
    headers: dict[str, str]


async def ask(app: Any, request: Asking) -> Told:
    """The answer of an ASGI app: an endpoint, or the server's."""
    path, _, query = request.target.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    body = b"" if request.body is None else json.dumps(request.body).encode()
    scope = {
        "type": "http", "method": request.method, "path": unquote(path), "query_string": query.encode(),
        "headers": [*headers, (b"content-type", b"application/json")],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return _told(sent[0]["status"], sent[1]["body"], sent[0]["headers"])


def _told(status: int, raw: bytes, headers: Any) -> Told:
    body = json.loads(raw or b"null")
    code = body["code"] if status >= 400 else None
    return Told(status, code, body, {name.decode(): value.decode() for name, value in headers})

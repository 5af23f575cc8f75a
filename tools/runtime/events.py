"""Events as the cloud sends them, and a case: what a function is asked, and what it must answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

SCHEDULE: Final = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-21T08:00:00Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/due"],
    "detail": {},
}
"""What EventBridge hands to a job."""


def event(
    method: str, target: str, *, headers: Mapping[str, str] | None = None, body: str | bytes | None = None
) -> dict[str, Any]:
    """An API Gateway HTTP API event, payload format 2.0, as AWS documents it."""
    path, _, query = target.partition("?")
    encoded = isinstance(body, bytes)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {"host": "shop.example", **{name.lower(): value for name, value in (headers or {}).items()}},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "shop.example",
            "http": {
                "method": method,
                "path": unquote(path),
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Nov/2026:08:00:00 +0000",
            "timeEpoch": 1795248000000,
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": encoded,
    }


class Ask(NamedTuple):
    """A request. `{name}` in any text is filled in with what an earlier answer left under that name."""

    method: str
    target: str
    body: Any = None
    headers: Mapping[str, str] = {}
    keep: Mapping[str, str] = {}
    """What its answer leaves for later requests: the place in the body, as `variants/0/id`, by name."""


class Case(NamedTuple):
    """A function, what it must do (`good`, one after the other, answered by `status`), and what it must refuse."""

    function: str
    good: tuple[Ask, ...]
    status: int
    bad: Ask
    refused: tuple[int, str]
    """The status and the code of the problem."""


class Due(NamedTuple):
    """A job, what makes it due (SQL), and the counts that it must answer at least. Run again it has nothing to do and
    counts 0, unless it only `looks`.
    """

    function: str
    makes_due: str
    counts: Mapping[str, int]
    looks: bool = False


class Unexpected(AssertionError):
    """A function answered otherwise than it must."""


def sent(ask: Ask, known: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a request."""
    body = None if ask.body is None else json.dumps(_filled(ask.body, known))
    headers = {name: value.format_map(known) for name, value in ask.headers.items()}
    if body is not None:
        headers = {"content-type": "application/json", **headers}
    return event(ask.method, ask.target.format_map(known), headers=headers, body=body)


def accepted(answer: Any, case: Case, ask: Ask) -> dict[str, Any]:
    """What the answer to a good request leaves. Raises Unexpected."""
    text = _text(answer)
    if answer.get("statusCode") != case.status:
        raise Unexpected(f"{case.function}: {ask.method} {ask.target}: {case.status} expected, got {_short(answer)}")
    if case.status == 204:
        if text:
            raise Unexpected(f"{case.function}: 204 with a body")
        return {}
    return {name: _at(json.loads(text), place) for name, place in ask.keep.items()}


def refused(answer: Any, case: Case) -> None:
    """Raises Unexpected unless the answer is the problem that the case names."""
    status, code = case.refused
    kind = {name.lower(): value for name, value in answer.get("headers", {}).items()}.get("content-type")
    wanted = (status, "application/problem+json", code)
    if (answer.get("statusCode"), kind) != wanted[:2] or json.loads(_text(answer))["code"] != code:
        raise Unexpected(f"{case.function}: {wanted} expected, got {_short(answer)}")


def worked(answer: Any, due: Due, *, again: bool = False) -> None:
    """Raises Unexpected unless a job answers what it must."""
    idle = again and not due.looks
    wanted = dict.fromkeys(due.counts, 0) if idle else due.counts
    told: dict[str, Any] = answer if isinstance(answer, dict) else {}
    done = all(told.get(name) == 0 if idle else told.get(name, -1) >= least for name, least in wanted.items())
    if not done or (told.get("failed"), told.get("finished")) != (0, True):
        raise Unexpected(f"{due.function}: {dict(wanted)} expected, got {_short(answer)}")


def _text(answer: Any) -> str:
    if not isinstance(answer, dict):
        raise Unexpected(f"an answer of an endpoint is an object, not {answer!r}")
    raw = answer.get("body") or ""
    return base64.b64decode(raw).decode() if answer.get("isBase64Encoded") else raw


def _short(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False)[:600]


def _at(body: Any, place: str) -> Any:
    for part in place.split("/"):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with its texts filled in; a text that is nothing but `{name}` becomes the very value."""
    if isinstance(value, dict):
        return {key: _filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, known) for one in value]
    if not isinstance(value, str):
        return value
    if value.startswith("{") and value.endswith("}") and value[1:-1] in known:
        return known[value[1:-1]]
    return value.format_map(known)

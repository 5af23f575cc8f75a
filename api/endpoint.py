"""@endpoint: one typed async function in, one ASGI app out, its route declared once.

A handler is a straight line: read, decide, commit. When somebody else was faster (a guard says `stale`, or the same key
arrives twice) the line is run again from its first read, at most `ATTEMPTS_MAX` times.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
import typing
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

from mangum.handlers import api_gateway
from pydantic import ValidationError

from api import telemetry
from api.auth import PUBLIC, credential_of
from api.call import Answer, Asked, Call, Headers, Replayed
from api.clock import milliseconds_now
from api.database import database, start
from api.idempotency import fingerprint, key_of
from api.problems import CODES, RETRY_AFTER_SECONDS, Problem, invalid
from api.request import json_body, query_of, wrong_shape
from api.settings import Settings, SettingsError, settings
from api.shapes import FromQuery, Shape
from api.spoken import Rerun
from db.failpoints import failpoint
from db.helper import Unavailable
from domain.refusals import Refusal

ATTEMPTS_MAX: Final = 8
PATIENT_AFTER: Final = 3
"""Runs without a pause. Whoever has lost as often waits a moment, up to some 0.1 s, before the next."""
REGISTRY: Final[dict[str, Endpoint]] = {}
TEXT: Final = ["application/json", "application/problem+json", "text/"]
"""What Mangum sends as text; without it a problem would travel as base64."""

Run = Callable[[Any, Call], Awaitable[Answer[Any]]]
Wanted = Literal["required", "optional"] | None
_ONCE: Final = (
    b"authorization", b"content-type", b"cookie", b"idempotency-key", b"if-match", b"x-cart-token", b"x-csrf-token"
)  # fmt: skip
_VERSION: Final = re.compile(rb'"([1-9][0-9]{0,14})"')  # strong: RFC 9110 lets If-Match match no weak tag
_UNSOUND: Final = re.compile("[\0\ud800-\udfff]")
SANE_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def endpoint(
    route: str,
    *,
    permission: str,
    status: int = 200,
    idempotency: Wanted = None,
    if_match: Wanted = None,
    headers: tuple[str, ...] = (),
    errors: tuple[str, ...] = (),
    replica: bool = False,
    step_up: bool = False,
) -> Callable[[Run], Endpoint]:
    """Declare an endpoint. `route` is `METHOD /path/{name}`; `permission` is `domain:action`, PUBLIC, SIGNED_IN or
    PERSON.

    `step_up`: a person must have shown the second factor, or the password again, a moment ago (403 otherwise).
    `replica` lets a replica answer, whose rows may be a moment old, also a client that brings no read-after token.
    `errors` are the codes that its own rules give; those of every endpoint (401, 422, 503, …) are known from the rest.
    """
    return lambda run: Endpoint(
        run, route, permission, status, idempotency, if_match, headers, errors, replica, step_up
    )


class Endpoint:
    """The ASGI app of one endpoint, and what the template, OpenAPI and the local server are derived from."""

    def __init__(
        self,
        run: Run,
        route: str,
        permission: str,
        status: int,
        idempotency: Wanted,
        if_match: Wanted,
        headers: tuple[str, ...],
        errors: tuple[str, ...],
        replica: bool,
        step_up: bool,
    ) -> None:
        self.run, self.permission, self.status = run, permission, status
        self.idempotency, self.if_match, self.headers, self.errors = idempotency, if_match, headers, errors
        self.replica, self.step_up = replica, step_up
        self.name: str = getattr(run, "__name__")  # noqa: B009 - a Callable has none for the type checker
        self.module = run.__module__
        self.document = run.__globals__.get("__doc__") or ""
        self.method, self.path = route.split(" ")
        self.path_names = tuple(re.findall(r"{(\w+)}", self.path))
        self.pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path))
        hints = typing.get_type_hints(run, include_extras=True)
        self.request: type[Shape] = hints["request"]
        self.request.model_rebuild()
        self.response: Any = typing.get_args(hints["return"])[0]
        self.reads_body = self.method in ("POST", "PATCH", "PUT")
        self.query_names = tuple(
            name
            for name, field in self.request.model_fields.items()
            if name not in self.path_names
            and (not self.reads_body or any(isinstance(mark, FromQuery) for mark in field.metadata))
        )
        start()
        assert all(code in CODES for code in errors), f"{self.name} declares an unknown error"
        assert self.name not in REGISTRY or REGISTRY[self.name].module == self.module, f"two endpoints {self.name}"
        REGISTRY[self.name] = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        sent_id = headers.get(b"x-request-id", b"")
        request_id = sent_id if SANE_ID.fullmatch(sent_id) else os.urandom(16).hex().encode()
        spent = _Spent(request_id.decode())
        code = None
        try:
            status, found, body = await self._answer(scope, receive, headers, spent)
        except Problem as problem:
            code = problem.code
            status, found, body = _told(problem, scope["path"], headers)
        except Exception:
            code = "internal"
            telemetry.log.exception(
                "internal error", extra={"facts": {"endpoint": self.name, "request_id": request_id.decode()}}
            )
            status, found, body = _told(Problem("internal"), scope["path"], headers)
        seconds = time.perf_counter() - began
        found += spent.limit_headers(status)
        if self.method != "GET" and status < 300 and spent.token is not None:
            found.append((b"read-after", spent.token.encode()))
        if status != 204:  # RFC 9110: it has no content, and does not say how long that is
            found.append((b"content-length", b"%d" % len(body)))
        found += [
            (b"cache-control", b"no-store"),
            (b"x-request-id", request_id),
            (b"server-timing", b'db;dur=%.2f;desc="%d"' % (spent.seconds * 1000, spent.trips)),
        ]
        failpoint("answer_lost")
        await send({"type": "http.response.start", "status": status, "headers": found})
        await send({"type": "http.response.body", "body": body})
        facts: dict[str, Any] = {"request_id": request_id.decode(), "trips": spent.trips}
        if code:
            facts["code"] = code
        telemetry.observe_request(self.name, status, seconds, facts)

    async def _answer(
        self, scope: Any, receive: Any, headers: dict[bytes, bytes], spent: _Spent
    ) -> tuple[int, Headers, bytes]:
        try:
            known = settings()
        except SettingsError as error:
            telemetry.set_up("error", 200)
            telemetry.log.error(str(error))
            raise Problem("internal") from error
        telemetry.set_up(known.log_level, known.slow_query_ms, known.metrics_namespace)
        matched = self.pattern.fullmatch(scope["path"])
        if matched is None or _UNSOUND.search(scope["path"]):
            raise Problem("not_found")
        if scope["method"] != self.method:
            raise Problem("method_not_allowed")
        request, wrong, canonical = await self._request(scope, receive, headers, matched.groupdict())
        asked = self._asked(scope, headers, canonical, wrong, known, spent.request_id)
        try:
            db = await database(known)
        except Unavailable as error:
            raise away(self, error) from error
        for attempt in range(ATTEMPTS_MAX):
            if attempt >= PATIENT_AFTER:
                await asyncio.sleep(random.uniform(0, 0.001 * 2**attempt))  # noqa: S311 - jitter, no secret
            call = Call(asked, known, db)
            try:
                if wrong is not None or asked.key_problem is not None:
                    await call.read()  # who calls and what they sent before come first
                if wrong is not None:
                    raise wrong
                try:
                    answer = await self.run(request, call)
                except (Problem, Refusal):
                    await call.judged()
                    await call.held()
                    raise
                text = answer.text(with_secret=True)
                kind = [(b"content-type", b"application/json")] if text else []
                kind += [(b"set-cookie", cookie.encode()) for cookie in answer.cookies]
                return answer.status or self.status, kind + answer.headers(), text.encode()
            except Replayed as before:
                kind = [(b"content-type", b"application/json")] if before.body else []
                return before.status, kind + before.headers, before.body.encode()
            except Refusal as refusal:
                raise Problem(refusal.code, **refusal.facts) from refusal
            except Rerun:
                if call.disowned:
                    asked = asked._replace(credential=None)
                continue
            finally:
                spent.add(call)
        raise Problem("busy")

    async def _request(
        self, scope: Any, receive: Any, headers: dict[bytes, bytes], path_values: dict[str, str]
    ) -> tuple[Shape | None, Problem | None, bytes]:
        """The request in its shape, or what is wrong with it; and its body in canonical form."""
        canonical = b""
        try:
            values: dict[str, Any] = {}
            if self.reads_body:
                values, canonical = await json_body(receive, headers)
            query = query_of(scope.get("query_string", b""), self.query_names if self.reads_body else None)
            for name in (*path_values, *query):
                if name in values or (name in query and name in path_values):
                    raise invalid(f"/{name}", "extra_forbidden")
            if self.reads_body:
                return self.request.model_validate({**values, **query, **path_values}), None, canonical
            return self.request.model_validate_strings({**query, **path_values}), None, canonical
        except ValidationError as error:
            return None, wrong_shape(error), canonical
        except Problem as problem:
            return None, problem, canonical

    def _asked(
        self,
        scope: Any,
        headers: dict[bytes, bytes],
        canonical: bytes,
        wrong: Problem | None,
        known: Settings,
        request_id: str,
    ) -> Asked:
        """Everything asked besides the shape. Raises 401, and 422 for a header that came twice."""
        if len(headers) < len(scope["headers"]):
            names = [name for name, _ in scope["headers"]]
            for name in _ONCE:
                if names.count(name) > 1:
                    raise invalid(f"/headers/{name.decode()}", "header_repeated")
        credential = credential_of(headers, self.permission, self.method, known.secret_key, milliseconds_now())
        if credential is None and self.permission != PUBLIC:
            raise Problem("unauthenticated")
        key, key_problem = None, None
        if self.idempotency and not (wrong and wrong.status < 422):
            try:
                key = key_of(headers.get(b"idempotency-key"))
                if key is None and self.idempotency == "required":
                    key_problem = Problem("idempotency_key_required")
            except Problem as problem:
                key_problem = problem
        # The query belongs to what was asked: a guest's phone stands there, and only who knows it may see a replay.
        query = scope.get("query_string", b"").decode("latin-1")
        target = f"{scope['path']}?{query}" if query else scope["path"]
        version = headers.get(b"if-match") if self.if_match else None
        if_match = None
        if version is not None and version.strip() != b"*":
            matched = _VERSION.fullmatch(version.strip())
            # A tag that is no version of ours matches none of them: 412, not 422.
            if_match = int(matched[1]) if matched else -1
        return Asked(
            name=self.name,
            permission=self.permission,
            status=self.status,
            method=self.method,
            path=scope["path"],
            query=query,
            headers=headers,
            credential=credential,
            request_id=request_id,
            ip_address=(scope.get("client") or [None])[0],
            step_up=self.step_up,
            key=key,
            key_problem=key_problem,
            fingerprint=fingerprint(self.method, target, canonical) if key is not None else "",
            if_match=if_match,
            if_match_missing=self.if_match == "required" and version is None,
            read_after=headers.get(b"read-after", b"").decode("latin-1") or None if self.method == "GET" else None,
            replica=self.replica,
        )


def _body_of(body: str | bytes, is_base64: bool) -> bytes:
    """The body of an event. One that says it is base64 and is not is handed on as it came: malformed JSON."""
    try:
        return _decoded(body, is_base64=is_base64)
    except ValueError:
        return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body


# Mangum would let the whole function fail, and the gateway answer 500.
_decoded: Final = api_gateway.maybe_encode_body  # type: ignore[attr-defined]
api_gateway.maybe_encode_body = _body_of  # type: ignore[attr-defined]


def away(endpoint: Endpoint, error: Exception) -> Problem:
    """The database cannot be reached at all: 503, for /health in its own words."""
    telemetry.log.error("database away", extra={"facts": {"endpoint": endpoint.name, "reason": str(error)}})
    return Problem("unhealthy", reason="database") if "unhealthy" in endpoint.errors else Problem("busy")


class _Spent:
    """Round trips and seconds of all runs of a line, and the last of them."""

    __slots__ = ("last", "request_id", "seconds", "trips")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.seconds, self.trips = 0.0, 0
        self.last: Call | None = None

    def add(self, call: Call) -> None:
        self.seconds += call.db_seconds
        self.trips += call.trips
        self.last = call

    @property
    def token(self) -> str | None:
        return self.last.token if self.last else None

    def limit_headers(self, status: int) -> Headers:
        return self.last.limit_headers(refused=status == 429) if self.last else []


def _told(problem: Problem, path: str, headers: dict[bytes, bytes]) -> tuple[int, Headers, bytes]:
    found: Headers = [(b"content-type", b"application/problem+json")]
    if problem.code in RETRY_AFTER_SECONDS:
        found.append((b"retry-after", RETRY_AFTER_SECONDS[problem.code].encode()))
    if problem.status == 401:
        found.append((b"www-authenticate", b"Bearer"))
    if problem.status == 405:
        methods = sorted({one.method for one in REGISTRY.values() if one.pattern.fullmatch(path)})
        found.append((b"allow", ", ".join(methods).encode()))
    return problem.status, found, problem.body(path, headers.get(b"accept-language", b"").decode("latin-1"))

"""The local server: one ASGI app that hands each request to the endpoint that Lambda would run, and nothing in between.

`application()` is what uvicorn is given. The way of a request is short on purpose: an exact path is one look into a
dict, a path with values is matched among those with the same first segment.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

from api import telemetry
from api.database import close_database, database, serve_many
from api.endpoint import SANE_ID, Endpoint
from api.problems import Problem
from api.settings import settings
from cli import derive
from cli.pages import Headers, Page, page
from cli.scheduler import JOBS_VARIABLE, Scheduler

EXPOSED: Final = (
    b"ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Read-After, Retry-After, Server-Timing, "
    b"X-Request-Id"
)
ALLOWED: Final = (
    b"Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, Read-After, X-Cart-Token, X-Request-Id"
)
PREFLIGHT_SECONDS: Final = b"600"

Methods = dict[str, Endpoint]


class Routes:
    """Which endpoint answers a path. Nothing is said of the method: a path that is known refuses others with 405."""

    def __init__(self, found: Iterable[Endpoint]) -> None:
        self._exact: dict[str, Methods] = {}
        patterns: dict[str, tuple[re.Pattern[str], Methods]] = {}
        for one in found:
            if one.path_names:
                template = re.sub(r"{\w+}", "{}", one.path)
                patterns.setdefault(template, (one.pattern, {}))[1][one.method] = one
            else:
                self._exact.setdefault(one.path, {})[one.method] = one
        self._matched: dict[str, list[tuple[re.Pattern[str], Methods]]] = {}
        # Of two templates that fit, the one with fewer holes is meant.
        for template in sorted(patterns, key=lambda template: (template.count("{}"), template)):
            self._matched.setdefault(_first_segment(template), []).append(patterns[template])
        # `POST /products/import` would not take `GET /products/{product}` away from a product called import.
        for path, methods in self._exact.items():
            for pattern, others in self._matched.get(_first_segment(path), ()):
                if pattern.fullmatch(path):
                    methods.update({method: one for method, one in others.items() if method not in methods})

    def at(self, path: str) -> Methods | None:
        """The endpoints of `path` by method, None for a path that nobody answers."""
        methods = self._exact.get(path)
        if methods is not None:
            return methods
        for pattern, methods in self._matched.get(_first_segment(path), ()):
            if pattern.fullmatch(path):
                return methods
        return None


def _first_segment(path: str) -> str:
    end = path.find("/", 1)
    return path if end < 0 else path[:end]


class _Counted:
    """Stands in for an engine that does not group its commits, and so need not know how many requests are in work."""

    live = 0


class Application:
    """The ASGI app. `scheduler` runs beside it, from its first request to its last, if there is one."""

    def __init__(
        self, found: Iterable[Endpoint], origins: Iterable[str] = (), scheduler: Scheduler | None = None
    ) -> None:
        self._routes = Routes(found)
        self._origins = frozenset(origin.encode() for origin in origins)
        self._scheduler = scheduler
        self._engine: Any = _Counted()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._lifespan(receive, send)
            return
        if self._origins:
            send = self._shared(scope, send)
        methods = self._routes.at(scope["path"])
        found = methods.get(scope["method"]) if methods is not None else None
        if found is None:
            await self._without_endpoint(methods, scope, receive, send)
        elif not found.reads_body and scope["method"] == "GET":
            await found(scope, receive, send)
        else:
            # Whoever else has arrived must be seen before this request finds itself alone and commits in place:
            # without the pause no two ever share a COMMIT, because a request alone never waits.
            engine = self._engine
            engine.live += 1
            try:
                await asyncio.sleep(0)
                await found(scope, receive, send)
            finally:
                engine.live -= 1

    async def _without_endpoint(self, methods: Methods | None, scope: Any, receive: Any, send: Any) -> None:
        """HEAD and OPTIONS of what exists, our own pages, 404 and 405."""
        method, headers = scope["method"], dict(scope["headers"])
        if method == "HEAD" and methods is not None and "GET" in methods:
            await methods["GET"]({**scope, "method": "GET"}, receive, _without_body(send))
            return
        sent_id = headers.get(b"x-request-id", b"")
        request_id = sent_id if SANE_ID.fullmatch(sent_id) else uuid4().hex.encode()
        made = page(scope["path"], headers.get(b"accept", b"")) if methods is None else None
        allowed = _allowed(methods, made is not None)
        if method == "OPTIONS" and self._origins and b"access-control-request-method" in headers:
            made = Page(204, _preflight(allowed), b"")
        elif method == "OPTIONS" and allowed:
            made = Page(204, [(b"allow", allowed)], b"")
        elif made is None or method not in ("GET", "HEAD"):
            made = _refusal(scope, headers, allowed, request_id)
        found = [*made.headers, (b"x-request-id", request_id)]
        if made.status != 204:
            found.append((b"content-length", b"%d" % len(made.body)))
        await send({"type": "http.response.start", "status": made.status, "headers": found})
        await send({"type": "http.response.body", "body": made.body if method != "HEAD" else b""})

    def _shared(self, scope: Any, send: Any) -> Any:
        """`send` that tells a browser which page may read the answer."""
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        extra: Headers = [(b"vary", b"Origin")]
        if origin is not None and (origin in self._origins or b"*" in self._origins):
            extra += [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED)]

        async def shared(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        return shared

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self._start()
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._scheduler is not None:
                    await self._scheduler.stop()
                await close_database()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _start(self) -> None:
        known = settings()
        telemetry.set_up(known.log_level, known.slow_query_ms)
        serve_many()
        db = await database(known)
        if not await db.health():
            raise RuntimeError("the database does not enforce foreign keys")
        if hasattr(db, "live"):
            self._engine = db
        if self._scheduler is not None:
            self._scheduler.start()
        # What is imported now lives as long as the process: the collector need not look at it again.
        gc.collect()
        gc.freeze()


def application() -> Application:
    """The app of this process, as the environment says. Raises SettingsError."""
    found = derive.endpoints()
    scheduler = Scheduler(derive.jobs()) if os.environ.get(JOBS_VARIABLE) else None
    return Application(found, settings().allowed_origins, scheduler)


def _allowed(methods: Methods | None, is_page: bool) -> bytes:
    known = {"GET"} if is_page else set(methods or ())
    if not known:
        return b""
    return ", ".join(sorted({*known, "OPTIONS", *(["HEAD"] if "GET" in known else [])})).encode()


def _preflight(allowed: bytes) -> Headers:
    return [
        (b"access-control-allow-methods", allowed or b"GET"),
        (b"access-control-allow-headers", ALLOWED),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    ]


def _refusal(scope: Any, headers: dict[bytes, bytes], allowed: bytes, request_id: bytes) -> Page:
    """404 for an unknown path, 405 with `Allow` for a known one, as an endpoint would word them."""
    began = time.perf_counter()
    problem = Problem("method_not_allowed" if allowed else "not_found")
    body = problem.body(scope["path"], headers.get(b"accept-language", b"").decode("latin-1"))
    found: Headers = [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"server-timing", b'db;dur=0.00;desc="0"'),
    ]
    if allowed:
        found.append((b"allow", allowed))
    facts = {"request_id": request_id.decode(), "code": problem.code}
    telemetry.observe_request("unrouted", problem.status, time.perf_counter() - began, facts)
    return Page(problem.status, found, body)


def _without_body(send: Any) -> Any:
    async def bodiless(message: Any) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bodiless

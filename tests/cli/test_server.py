"""The app itself, driven without a socket: routes, the count of requests in work, the end, the scheduled functions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from api import database
from api.job import Job
from cli import derive
from cli.scheduler import JOBS_VARIABLE, Scheduler, seconds_of
from cli.server import Application, Routes, application
from tests.shop import Shop

Live = Callable[[], None]


@dataclass
class Reply:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@pytest.fixture(autouse=True)
def serving_ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that serves leaves no process-wide trace of it."""
    monkeypatch.setattr(database, "_serving", False)
    yield


def run(work: Awaitable[Any]) -> Any:
    return asyncio.get_event_loop().run_until_complete(work)


async def ask(
    app: Application, method: str, path: str, body: Any = None, seen: Live = lambda: None, **headers: str
) -> Reply:
    """One request; `seen` is called when the endpoint asks for the body."""
    reply = Reply()
    sent = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}

    async def receive() -> dict[str, Any]:
        seen()
        return {"type": "http.request", "body": json.dumps(body).encode() if body is not None else b""}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            reply.body += message["body"]

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    await app(scope, receive, send)
    return reply


async def during(app: Application, work: Callable[[], Awaitable[Any]]) -> Any:
    """What `work` gives between the app's startup and its shutdown, told as a server tells them."""
    steps: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan"}, steps.get, told.put))
    await steps.put({"type": "lifespan.startup"})
    started = await told.get()
    if started["type"] != "lifespan.startup.complete":
        await life
        return started
    try:
        return await work()
    finally:
        await steps.put({"type": "lifespan.shutdown"})
        assert await told.get() == {"type": "lifespan.shutdown.complete"}
        await life


def test_every_endpoint_is_found_by_its_own_address() -> None:
    endpoints = derive.endpoints()
    routes = Routes(endpoints)
    for one in endpoints:
        path = one.path
        for name in one.path_names:
            path = path.replace(f"{{{name}}}", "some-value")
        found = routes.at(path)
        assert found is not None and found[one.method] is one
    for path in ("", "/", "//", "/nowhere", "/products/", "/products/a/b", "/orders/x/cancel/y", "/checkout/"):
        assert routes.at(path) is None, path


def test_an_exact_path_does_not_hide_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = {one.name: one for one in derive.endpoints()}
    view, create = endpoints["view_product"], endpoints["create_product"]
    monkeypatch.setattr(create, "path", "/products/import")
    assert Routes([view, create]).at("/products/import") == {"POST": create, "GET": view}
    assert Routes([view, create]).at("/products/other") == {"GET": view}


def test_requests_in_work_are_counted_so_that_they_share_a_commit(shop: Shop) -> None:
    variant = shop.variant(stock=100)
    app = Application(derive.endpoints())
    seen: list[int] = []

    async def buy(number: int) -> Reply:
        return await ask(
            app, "POST", "/checkout", shop.checkout_body({variant: 1}), lambda: seen.append(app._engine.live),
            idempotency_key=f"buyer-{number}",
        )  # fmt: skip

    async def work() -> list[Reply]:
        first = await buy(0)
        assert (seen, app._engine.live) == ([1], 0)
        return [first, *await asyncio.gather(*(buy(number) for number in range(1, 9)))]

    replies = run(during(app, work))
    assert {reply.status for reply in replies} == {201}
    assert seen == [1] + [8] * 8
    assert shop.one("SELECT count(*) FROM orders") == 9
    shop.checked()


def test_a_request_that_breaks_off_is_counted_out(shop: Shop) -> None:
    app = Application(derive.endpoints())

    def broken() -> None:
        raise ConnectionError("gone")

    async def work() -> Any:
        return await ask(app, "POST", "/carts", {}, broken)

    run(during(app, work))
    assert app._engine.live == 0


def test_without_serving_requests_are_answered_alike(shop: Shop) -> None:
    variant = shop.variant()
    app = Application(derive.endpoints())
    reply = run(ask(app, "POST", "/checkout", shop.checkout_body({variant: 1}), idempotency_key="plain"))
    assert (reply.status, app._engine.live) == (201, 0)


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("GET", "/", 200, {"content-type": "application/json"}),
        ("GET", "/docs", 200, {"content-type": "text/html; charset=utf-8"}),
        ("HEAD", "/docs/start.js", 200, {"content-type": "text/javascript; charset=utf-8"}),
        ("GET", "/docs/swagger-ui.css", 200, {"content-type": "text/css; charset=utf-8"}),
        ("GET", "/metrics", 200, {"cache-control": "no-store"}),
        ("HEAD", "/health", 200, {"content-type": "application/json"}),
        ("HEAD", "/nowhere", 404, {"content-type": "application/problem+json"}),
        ("OPTIONS", "/carts", 204, {"allow": "OPTIONS, POST"}),
        ("DELETE", "/docs", 405, {"allow": "GET, HEAD, OPTIONS"}),
    ],
)
def test_answers_besides_the_endpoints(
    shop: Shop, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    reply = run(ask(Application(derive.endpoints()), method, path, x_request_id="mine"))
    assert (reply.status, reply.headers["x-request-id"]) == (status, "mine")
    assert headers.items() <= reply.headers.items()
    assert (reply.body == b"") == (method == "HEAD" or status == 204)


def test_all_origins_may_be_allowed(shop: Shop) -> None:
    app = Application(derive.endpoints(), ["*"])
    reply = run(ask(app, "GET", "/health", origin="https://any.example"))
    assert reply.headers["access-control-allow-origin"] == "https://any.example"
    preflight = run(ask(app, "OPTIONS", "/nowhere", access_control_request_method="GET"))
    assert preflight.status == 204  # so that the page sees the 404 itself


def test_a_database_that_cannot_be_opened_is_told_at_start(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/broken.db")
    from api.settings import settings

    settings.cache_clear()

    async def work() -> None:
        raise AssertionError("it has not started")

    started = run(during(Application([]), work))
    assert started["type"] == "lifespan.startup.failed" and "not a database" in started["message"]
    run(database.close_database())


def test_schedules_are_understood() -> None:
    assert [seconds_of(one) for one in ("rate(1 minute)", "rate(15 minutes)", "rate(1 hour)", "rate(2 days)")] == [
        60, 900, 3_600, 172_800,
    ]  # fmt: skip
    assert seconds_of("cron(0 3 * * ? *)") == 3_600
    with pytest.raises(ValueError, match="neither rate"):
        seconds_of("every day")
    for job in derive.jobs():
        assert seconds_of(job.schedule) >= 60


def test_the_scheduled_functions_run_beside_the_server(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(stock=5)
    key = shop.api_key("stock:reserve", "stock:adjust", "*")
    held = shop.post("/stock/reservations", {"variant_id": variant, "quantity": 2, "expires_in": 60}, api_key=key)
    assert held.status == 201
    shop.clock(120)
    monkeypatch.setenv(JOBS_VARIABLE, "1")
    app = application()
    assert app._scheduler is not None
    app._scheduler._first = app._scheduler._tick = 0.01

    async def work() -> None:
        for _ in range(500):
            if shop.rows("SELECT status FROM reservations") == [("EXPIRED",)]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the job has not run")

    run(during(app, work))
    assert shop.one("SELECT stock FROM inventory") == 5
    shop.checked()


class Told(Job):
    """A job that tells when it runs; the broken one fails."""

    def __init__(self, name: str, schedule: str, ran: list[str]) -> None:
        self.name, self.schedule, self.ran = name, schedule, ran

    async def run(self, seconds: float = 0) -> dict[str, Any]:
        self.ran.append(self.name)
        if self.name == "broken":
            raise ValueError("a defect")
        return {}


def test_a_job_that_fails_stops_no_other_and_the_server_neither(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    async def work() -> None:
        scheduler = Scheduler(
            [Told("broken", "rate(1 day)", ran), Told("fine", "rate(1 minute)", ran)],
            first_seconds=0.001,
            tick_seconds=0.005,
        )
        scheduler.start()
        await asyncio.sleep(0.1)
        await scheduler.stop()

    run(work())
    assert ran == ["broken", "fine"]  # each once: neither is due again before a minute


def test_a_scheduler_that_never_began_can_be_stopped() -> None:
    """And does not begin by a start that comes too late."""
    ran: list[str] = []

    async def work() -> None:
        scheduler = Scheduler([Told("late", "rate(1 minute)", ran)], first_seconds=0.001, tick_seconds=0.001)
        await scheduler.stop()
        scheduler.start()
        await asyncio.sleep(0.05)

    run(work())
    assert ran == []

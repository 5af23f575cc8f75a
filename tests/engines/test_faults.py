"""Engines over HTTP that are away, slow, strange, or whose answers are lost on the way: what each error means, and what
is in the database afterwards.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from db.engines import d1 as engine_d1
from db.engines import http as engine_http
from db.engines import libsql as engine_libsql
from db.helper import Busy, Conflict, DatabaseError, Refused, SchemaBehind, TimedOut, Unavailable, Unknown
from db.sql import unregistered
from proof.proxy import Message, Proxy
from tests.db.engine_support import COUNT, NEVER, SCHEMA, shelf
from tests.engines.candidates import Candidate
from tests.engines.homes import D1Homes, LibsqlHomes
from tools.engines.process import free_port

SLEEP = 0.8


@pytest.fixture(params=["libsql", "d1"])
def homes_over_http(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def remote(homes_over_http: LibsqlHomes | D1Homes) -> Iterator[Candidate]:
    """A database of the small schema on a server."""
    homes = homes_over_http
    url = homes.empty()
    raw = homes.raw(url)
    raw.many([(statement, ()) for statement in SCHEMA])
    raw.close()
    made = Candidate("libsql" if isinstance(homes, LibsqlHomes) else "d1", url, homes.token)
    with made.running():
        yield made


@contextmanager
def through(candidate: Candidate, **options: Any) -> Iterator[tuple[Proxy, Any]]:
    """A proxy, and a client that speaks through it."""
    with Proxy(candidate.url) as proxy, candidate.another(proxy.url, **options) as db:
        yield proxy, db


def is_batch(message: Message) -> bool:
    return b"INSERT" in message.body


def shelves(candidate: Candidate) -> list[str]:
    return [row["id"] for row in candidate.rows("SELECT id FROM shelves ORDER BY id")]


def test_a_refused_connection_is_busy_because_nothing_ran(remote: Candidate) -> None:
    nobody = remote.url.replace(remote.url.split("/")[2], f"127.0.0.1:{free_port()}")
    with remote.another(nobody) as db:
        for trip in (db.read(COUNT()), db.batch([shelf(1)])):
            with pytest.raises(Busy, match="refused"):
                remote.run(trip)
        assert db.trips == 2


@pytest.mark.parametrize("kind", ["cut", "drop_answer", "cut_answer"])
def test_a_read_whose_answer_is_lost_is_asked_again(remote: Candidate, kind: Any) -> None:
    with through(remote) as (proxy, db):
        proxy.fault(kind, times=2)
        assert remote.run(db.read(COUNT())) == [[{"n": 0}]]
        assert len(proxy.requests) == 3
        proxy.fault(kind)
        with pytest.raises(Busy):
            remote.run(db.read(COUNT()))
        proxy.heal()
        assert remote.run(db.read(COUNT())) == [[{"n": 0}]]


@pytest.mark.parametrize(("kind", "kept"), [("cut", False), ("drop_answer", True), ("cut_answer", True)])
def test_a_batch_without_an_answer_is_unknown_and_sent_once(remote: Candidate, kind: Any, kept: bool) -> None:
    with through(remote) as (proxy, db):
        proxy.fault(kind, times=1)
        with pytest.raises(Unknown):
            remote.run(db.batch([shelf(1)]))
        assert len(proxy.requests) == 1, "a batch was sent twice without its idempotency guard"
        assert shelves(remote) == (["shelf-1"] if kept else [])
        remote.run(db.batch([shelf(2)]))
    assert shelves(remote) == (["shelf-1", "shelf-2"] if kept else ["shelf-2"])


def test_a_slow_engine_is_not_waited_for_longer_than_the_time_out(remote: Candidate) -> None:
    with through(remote, timeout_ms=300) as (proxy, db):
        proxy.delay_answer = SLEEP
        with pytest.raises(TimedOut):
            remote.run(db.read(COUNT()))
        with pytest.raises(Unknown):
            remote.run(db.batch([shelf(1)]))
        proxy.heal()
        time.sleep(SLEEP)
        assert remote.run(db.read(COUNT())) == [[{"n": 1}]]  # it was kept all the same


@pytest.mark.parametrize("kind", ["black_hole", "swallow_answer", "drip"])
def test_an_answer_that_never_ends_is_given_up(remote: Candidate, kind: Any) -> None:
    with through(remote, timeout_ms=300) as (proxy, db):
        proxy.fault(kind, seconds=0.02)
        began = time.monotonic()
        with pytest.raises(TimedOut):
            remote.run(db.read(COUNT()))
        with pytest.raises(Unknown):
            remote.run(db.batch([shelf(1)]))
        assert time.monotonic() - began < 8  # twice the usual time-out is 20 s
        proxy.heal()
        proxy.cut()
        assert remote.run(db.read(COUNT())) in ([[{"n": 0}]], [[{"n": 1}]])


def test_a_wrong_token_is_told_without_telling_it(remote: Candidate, homes_over_http: Any) -> None:
    wrong = [("a-stranger's-token", 401), ("", 401)]
    if isinstance(homes_over_http, LibsqlHomes):
        wrong.append((homes_over_http.server.stranger, 401))
    for token, status in wrong:
        with remote.another(token=token) as db:
            for trip in (db.read(COUNT()), db.batch([shelf(1)])):
                with pytest.raises(Unavailable, match=f"answered {status}.*DATABASE_TOKEN") as refused:
                    remote.run(trip)
                assert not token or token not in str(refused.value)
    assert shelves(remote) == []


def test_a_database_that_does_not_exist_is_told(remote: Candidate) -> None:
    with remote.another(remote.url.replace("?", "nosuch?")) as db:
        with pytest.raises(Unavailable, match=r"answered 404.*Does the database of DATABASE_URL exist"):
            remote.run(db.read(COUNT()))
        assert remote.run(db.close()) is None


def test_another_engine_s_server_is_told(libsql: LibsqlHomes, d1: D1Homes) -> None:
    for url, token in (
        (d1.empty().replace("d1://", "libsql://"), d1.token),
        (libsql.empty().replace("libsql://", "d1://"), libsql.token),
    ):
        stranger = Candidate("?", url, token)
        with (
            stranger.running(),
            pytest.raises(DatabaseError, match=r"answered (404|500)|speaks no Hrana|is no D1 gateway"),
        ):
            stranger.run(stranger.db.read(COUNT()))


def test_health_is_a_proof(remote: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote.run(remote.db.health()) is True
    for name, instead in (
        ("SELFTEST", unregistered("SELECT json_extract('{}', 'guard:selftest:something else')")),
        ("SELFTEST", unregistered("SELECT 1 AS silent")),
        ("FOREIGN_KEYS", unregistered("SELECT 0 AS foreign_keys")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(engine_http, name, instead)
            assert remote.run(remote.db.health()) is False


def test_a_libsql_batch_refuses_a_connection_without_foreign_keys(libsql: LibsqlHomes) -> None:
    raw = libsql.raw(libsql.empty())
    steps = [{"stmt": {"sql": text}} for text in ("PRAGMA foreign_keys = OFF", engine_libsql._SAFE)]
    told = raw._post({"requests": [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]})
    raw.close()
    [off, proof] = told["results"][0]["response"]["result"]["step_errors"]
    assert off is None and "guard:unsafe_connection" in proof["message"]
    assert isinstance(engine_libsql._failure(proof, 1, 3), Unavailable)


def test_d1_does_not_let_foreign_keys_be_switched_off(d1: D1Homes) -> None:
    raw = d1.raw(d1.empty())
    assert raw.many([("PRAGMA foreign_keys = OFF", ()), ("SELECT foreign_keys FROM pragma_foreign_keys", ())])[1] == [
        (1,)
    ]
    raw.close()


def test_libsql_under_maintenance_is_unavailable(libsql: LibsqlHomes) -> None:
    url = libsql.empty()
    name = url.rpartition("/")[2].partition("?")[0]
    candidate = Candidate("libsql", url, libsql.token)
    with candidate.running():
        candidate.run(candidate.db.batch([unregistered(SCHEMA[0])()]))
        libsql.server.block_writes(name, True)
        with pytest.raises(Unavailable, match="maintenance"):
            candidate.run(candidate.db.batch([shelf(1)]))
        libsql.server.block_writes(name, False)
        candidate.run(candidate.db.batch([shelf(1)]))
        assert shelves(candidate) == ["shelf-1"]


@pytest.mark.parametrize(
    ("code", "message", "step", "error"),
    [
        ("SQLITE_BUSY", "SQLite error: database is locked", 0, Busy),
        ("SQLITE_BUSY", "SQLite error: database is locked", 3, Unavailable),
        ("BLOCKED", "Operation was blocked: maintenance", 0, Unavailable),
        ("TRANSACTION_TIMEOUT", "Transaction timed out", 3, TimedOut),
        ("SQLITE_CONSTRAINT", "SQLite error: FOREIGN KEY constraint failed", 5, Conflict),
        ("SQLITE_IOERR", "SQLite error: disk I/O error", 5, Unknown),
        ("SQLITE_IOERR", "SQLite error: disk I/O error", 3, DatabaseError),
    ],
)
def test_what_a_libsql_server_says_at_a_step(code: str, message: str, step: int, error: type[Exception]) -> None:
    """As measured (research on the server's answers); 5 is the COMMIT. Only what failed at BEGIN did not run."""
    assert type(engine_libsql._failure({"code": code, "message": message}, step, 5)) is error


@pytest.mark.parametrize(
    ("message", "code", "batch", "read"),
    [
        ("D1_ERROR: bad JSON path: 'guard:no:x': SQLITE_ERROR", 7500, Refused, Refused),
        ("D1_ERROR: no such table: nowhere: SQLITE_ERROR", 7500, SchemaBehind, SchemaBehind),
        ('D1_ERROR: near "x": syntax error at offset 0: SQLITE_ERROR', 7500, DatabaseError, DatabaseError),
        ("The body is not JSON", 7400, DatabaseError, DatabaseError),
        ("D1_ERROR: D1 DB is overloaded. Requests queued for too long.", 7500, Busy, Busy),
        ("D1_ERROR: Network connection lost.", 7500, Unknown, Busy),
        ("D1_ERROR: internal error; reference = abc", 7500, Unknown, Busy),
        ("D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.", 7500, Unknown, Busy),
        ("Durable Object exceeded its CPU time limit and was reset.", 7500, Unknown, Busy),
    ],
)
def test_what_d1_says(message: str, code: int, batch: type[Exception], read: type[Exception]) -> None:
    """Of a batch only what SQLite itself or the gateway refused, or what was overloaded, is known not to be kept."""
    assert type(engine_d1._failure([(code, message)], "batch")) is batch
    assert type(engine_d1._failure([(code, message)], "read")) is read


class Strange(BaseHTTPRequestHandler):
    """Answers whatever it is told to, and is no engine."""

    told: tuple[int, bytes] = (200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, body = self.told
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


STRANGE: list[tuple[int, bytes]] = [
    (200, b""), (200, b"null"), (200, b"{}"), (200, b"[]"), (200, b'{"success": true}'), (200, b'{"result": []}'),
    (200, b'{"result": [{"results": [1]}]}'), (200, b'{"results": [{"type": "ok", "response": {"result": {}}}]}'),
    (200, b'{"results": [{"type": "ok", "response": {"result": {"step_errors": [], "step_results": []}}}]}'),
    (200, b"\xff"), (302, b""), (408, b""), (502, b"<html>"),
]  # fmt: skip


@pytest.mark.parametrize("told", [*STRANGE, (400, b'{"errors": null}'), (400, b'{"errors": ["x"]}')])
@pytest.mark.parametrize("engine", ["libsql", "d1"])
def test_a_strange_answer_is_an_error_of_ours(engine: str, told: tuple[int, bytes]) -> None:
    """Of a batch nobody knows then; but what libSQL answers 400 to was not read."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Strange,), {"told": told}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    candidate = Candidate(engine, f"{engine}://127.0.0.1:{server.server_port}/shop?tls=0", "")
    try:
        with candidate.running():
            with pytest.raises(DatabaseError) as read:
                candidate.run(candidate.db.read(COUNT()))
            assert not isinstance(read.value, Unknown)
            with pytest.raises(DatabaseError) as batch:
                candidate.run(candidate.db.batch([shelf(1)]))
            assert isinstance(batch.value, Unknown) or (engine, told[0]) == ("libsql", 400)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_token_that_no_header_carries_is_told_without_telling_it(remote: Candidate) -> None:
    with remote.another(token="a-secret\n") as db:
        for trip in (db.read(COUNT()), db.batch([shelf(1)])):
            with pytest.raises(Unavailable, match="DATABASE_TOKEN") as refused:
                remote.run(trip)
            assert "a-secret" not in str(refused.value)
    assert shelves(remote) == []


def test_an_answer_that_is_too_large_is_asked_for_once(remote: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_http, "ANSWER_BYTES_MAX", 100_000)
    large = unregistered("SELECT hex(zeroblob(100000)) AS large")
    with through(remote) as (proxy, db):
        with pytest.raises(DatabaseError, match="more than 100000 bytes") as told:
            remote.run(db.read(large()))
        assert type(told.value) is DatabaseError
        with pytest.raises(Unknown):
            remote.run(db.batch([shelf(1), large()]))
        assert len(proxy.requests) == 2
    assert shelves(remote) == ["shelf-1"]


def test_what_d1_cannot_tell_of_a_batch_was_kept(d1: D1Homes) -> None:
    candidate = Candidate("d1", d1.empty(), d1.token)
    with candidate.running():
        candidate.run(candidate.db.batch([unregistered("CREATE TABLE big (v INTEGER) STRICT")()]))
        with pytest.raises(Unknown, match=r"kept, but D1 tells v inexactly"):
            candidate.run(candidate.db.batch([unregistered("INSERT INTO big VALUES (:v) RETURNING v")(v=2**53)]))
        assert candidate.one("SELECT count(*) AS n FROM big") == 1


def test_a_thawed_function_goes_on_in_the_same_request(remote: Candidate) -> None:
    """Its connections were cut while it was frozen: neither a read nor a batch notices, and nothing is sent twice."""
    with through(remote) as (proxy, db):
        remote.run(db.batch([shelf(0)]))
        for number in range(1, 4):
            proxy.cut()
            time.sleep(0.05)
            remote.run(db.batch([shelf(number)]))
            proxy.cut()
            time.sleep(0.05)
            assert remote.run(db.read(COUNT())) == [[{"n": number + 1}]]
        assert len(proxy.requests) == 7
        assert proxy.connections == 7


def test_one_connection_carries_what_comes_one_after_the_other(remote: Candidate) -> None:
    with through(remote) as (proxy, db):
        for number in range(5):
            with asyncio.Runner() as runner:
                runner.run(db.batch([shelf(number)]))
                runner.run(db.read(COUNT()))
        assert (len(proxy.requests), proxy.connections) == (10, 1)


@pytest.mark.parametrize(
    ("quiet", "trip", "connections"), [(4, "batch", 1), (6, "batch", 2), (45, "read", 1), (55, "read", 2)]
)
def test_a_connection_that_was_quiet_too_long_is_not_trusted(
    remote: Candidate, monkeypatch: pytest.MonkeyPatch, quiet: int, trip: str, connections: int
) -> None:
    """By the wall clock: the monotonic one may stand still in a frozen function."""
    with through(remote) as (proxy, db):
        remote.run(db.read(COUNT()))
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + quiet)
        remote.run(db.read(COUNT()) if trip == "read" else db.batch([shelf(1)]))
        assert proxy.connections == connections


def test_a_guard_costs_one_request(remote: Candidate) -> None:
    with through(remote) as (proxy, db):
        with pytest.raises(DatabaseError, match="never: because"):
            remote.run(db.batch([shelf(1), NEVER()]))
        assert len(proxy.requests) == 1
    assert shelves(remote) == []


GATEWAY_REFUSALS: list[tuple[str, str, dict[str, str], Any, int, int]] = [
    ("GET", "shop0/query", {}, None, 405, 7001),
    ("POST", "shop0/query", {"authorization": "Bearer x"}, {"sql": "SELECT 1"}, 401, 10000),
    ("POST", "shop0/query", {"authorization": ""}, {"sql": "SELECT 1"}, 401, 10000),
    ("POST", "TOKEN/query", {}, {"sql": "SELECT 1"}, 404, 7404),
    ("POST", "constructor/query", {}, {"sql": "SELECT 1"}, 404, 7404),
    ("POST", "shop0/export", {}, {"sql": "SELECT 1"}, 404, 7000),
    ("POST", "shop0/query", {"x-d1-bookmark": "../x"}, {"sql": "SELECT 1"}, 400, 7400),
    ("POST", "shop0/query", {}, "not json", 400, 7400),
    ("POST", "shop0/query", {}, {"batch": []}, 400, 7400),
    ("POST", "shop0/query", {}, {"batch": [{"sql": "SELECT 1"}] * 1_011}, 400, 7400),
    ("POST", "shop0/query", {}, {"sql": "SELECT ?1", "params": [1]}, 400, 7400),
    ("POST", "shop0/query", {}, {"sql": "SELECT ?1", "params": [{}]}, 400, 7400),
    ("POST", "shop0/query", {}, {"sql": 1}, 400, 7400),
    ("POST", "shop0/query", {}, {"sql": "SELECT ?1", "params": ["a", "b"]}, 400, 7500),
]


@pytest.mark.parametrize(("method", "path", "headers", "body", "status", "code"), GATEWAY_REFUSALS)
def test_the_gateway_refuses(
    d1: D1Homes, method: str, path: str, headers: dict[str, str], body: Any, status: int, code: int
) -> None:
    origin = d1.server.url("shop0").replace("d1://", "http://").partition("/shop0")[0]
    sent = {"authorization": f"Bearer {d1.token}", **headers}
    if sent["authorization"] == "":
        del sent["authorization"]
    content = {"content": body} if isinstance(body, str) else {"json": body} if body is not None else {}
    url = f"{origin}/client/v4/accounts/any/d1/database/{path}"
    answer = httpx.request(method, url, headers=sent, timeout=30, **content)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code), answer.text
    assert d1.token not in answer.text

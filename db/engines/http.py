"""What the engines over HTTP share: one client per process, time-outs on everything, and who may be asked again.

The client is a blocking one, in threads of its own: it belongs to no event loop, so that it lives as long as the
process, whatever loop a warm invocation brings. Reads have as many threads as the pool allows; batches have few,
because a server's one writer is slowed down by a crowd.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from db.engines.deadline import ends_within, transport
from db.engines.trips import CONNECT_SECONDS, Stopwatch, checked, retried
from db.failpoints import failpoint
from db.helper import (
    BEHIND,
    Busy,
    Conflict,
    DatabaseError,
    Refused,
    Results,
    SchemaBehind,
    TimedOut,
    Unavailable,
    Unknown,
    error_from,
)
from db.sql import Statement, unregistered

ATTEMPTS_MAX: Final = 8
WRITES_AT_ONCE: Final = 4
"""Batches under way from one process, at most."""
IDLE_SECONDS: Final = {"read": 50.0, "batch": 5.0}
"""A process that was quiet longer opens new connections. A frozen function's may have been cut without a word; a read
finds that out and is repeated, a batch must not be."""
ANSWER_BYTES_MAX: Final = 33_554_432
UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError)
"""What reading an answer raises that is not in the engine's form."""
SELFTEST: Final = unregistered("SELECT json_extract('{}', 'guard:selftest:it''s \"ok\"') AS selftest")
FOREIGN_KEYS: Final = unregistered("SELECT foreign_keys FROM pragma_foreign_keys")


class Place(NamedTuple):
    """Where an engine answers: the URL that is posted to, and the headers that go along, the token among them."""

    url: str
    headers: dict[str, str]

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class Answered(NamedTuple):
    """A whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    def told(self) -> Any:
        """The JSON of the body. Raises ValueError."""
        return json.loads(self.body)

    @property
    def beginning(self) -> str:
        """The first words of the body, for a person."""
        return " ".join(self.body[:400].decode(errors="replace").split())[:200]


class HttpDatabase(ABC):
    """A database behind an HTTP API. An engine says how a trip is worded and how its answer reads."""

    engine: str
    writes_at_once = WRITES_AT_ONCE

    def __init__(self, place: Place, *, timeout_ms: int, pool: tuple[int, int]) -> None:
        self.trips = 0
        self._place = place
        self._timeout_seconds = timeout_ms / 1000
        self._clients = Clients(pool)
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._pool_max = pool[1]

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        checked(statements, reading=True)
        return await self._trip("read", statements, lambda watch: self._read(statements, after, replica, watch))

    async def batch(self, statements: Sequence[Statement]) -> Results:
        checked(statements)
        return await self._trip("batch", statements, lambda watch: self._batch(statements, watch))

    @abstractmethod
    def _read(self, statements: Sequence[Statement], after: str | None, replica: bool, watch: Stopwatch) -> Results:
        """In a thread. Raises DatabaseError; Busy for whatever may help when it is asked again."""

    @abstractmethod
    def _batch(self, statements: Sequence[Statement], watch: Stopwatch) -> Results:
        """In a thread. Raises DatabaseError; Busy only for what is provably not run."""

    async def health(self) -> bool:
        """Whether the engine answers, enforces foreign keys, and words a guard in a way that we understand."""
        watch = Stopwatch(self.engine)
        ask = FOREIGN_KEYS()
        [[row]] = await self._in_thread("read", lambda: self._read([ask], None, False, watch))
        try:
            await self._in_thread("read", lambda: self._read([SELFTEST()], None, False, watch))
        except Refused as spoken:
            return (spoken.code, spoken.detail) == ("selftest", 'it\'s "ok"') and row["foreign_keys"] == 1
        except DatabaseError:
            return False
        return False

    async def close(self) -> None:
        """Wait for what is under way, then close the connections; a later call opens others."""
        threads, self._threads = self._threads, {}
        for pool in threads.values():
            await asyncio.to_thread(pool.shutdown)
        self._clients.retire()

    async def _trip(self, kind: str, statements: Sequence[Statement], ask: Callable[[Stopwatch], Results]) -> Results:
        self.trips += 1
        watch = Stopwatch(self.engine)
        failed: BaseException | None = None
        try:
            return await retried(lambda: self._in_thread(kind, lambda: ask(watch)), ATTEMPTS_MAX)
        except BaseException as error:  # a request that was cancelled, too, has not got what it asked for
            failed = error
            raise
        finally:
            watch.report(kind, len(statements), failed)

    async def _in_thread(self, kind: str, ask: Callable[[], Results]) -> Results:
        if kind not in self._threads:
            count = self.writes_at_once if kind == "batch" else self._pool_max
            self._threads[kind] = ThreadPoolExecutor(count, thread_name_prefix=f"tallystick-{kind}")
        queued = time.monotonic()

        def turn() -> Results:
            if time.monotonic() - queued > max(CONNECT_SECONDS, self._timeout_seconds):
                raise Busy("waited too long for its turn")
            return ask()

        return await asyncio.get_running_loop().run_in_executor(self._threads[kind], turn)

    def _post(self, place: Place, kind: str, body: dict[str, Any], seconds: float, **headers: str) -> Answered:
        """The whole answer, whatever its status. Raises Busy if it was not sent; if it was and no answer came, Busy
        or TimedOut for a read and Unknown for a batch.
        """
        clients = self._clients
        client = clients.borrow(IDLE_SECONDS[kind])
        try:
            if kind == "batch":
                failpoint("before_commit")
            answer = _exchange(client.client, place, json.dumps(body).encode(), seconds, headers)
            if kind == "batch":
                failpoint("after_commit")
            clients.give_back(client)
            return answer
        except httpx.LocalProtocolError as error:
            # A header that cannot be sent. Its text would tell the token.
            clients.give_back(client)
            raise Unavailable(f"{place.host}: DATABASE_TOKEN is no token") from error
        except TooLarge as error:
            clients.give_back(client, broken=True)
            raise (Unknown(str(error)) if kind == "batch" else DatabaseError(str(error))) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            clients.give_back(client, broken=True)
            raise Busy(f"{place.host}: {_sentence(error)}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            clients.give_back(client, broken=True)
            told = f"{place.host}: {_sentence(error)}"
            if kind == "batch":
                raise Unknown(told) from error
            if isinstance(error, httpx.TimeoutException):
                raise TimedOut(told) from error
            raise Busy(told) from error
        except BaseException:
            clients.give_back(client, broken=True)
            raise

    def _refuse_status(self, place: Place, kind: str, answer: Answered) -> None:
        """Raises for an answer that is no engine's: no permission, no such database, a gateway's own failure."""
        status = answer.status
        said = f"{place.host} answered {status}: {answer.beginning}"
        if status in (401, 403):
            raise Unavailable(f"{said}. Is DATABASE_TOKEN right?")
        if status == 404:
            raise Unavailable(f"{said}. Does the database of DATABASE_URL exist?")
        if status == 429:
            raise Busy(said)
        if status >= 500 or status == 408:
            raise Unknown(said) if kind == "batch" else Busy(said)
        if status < 400 and status != 200 and kind == "batch":
            raise Unknown(said)
        if status != 200:
            raise DatabaseError(said)


class TooLarge(Exception):
    """An answer that is not read to its end."""


class _Client:
    """An httpx client and who uses it."""

    __slots__ = ("borrowers", "client", "retired")

    def __init__(self, client: httpx.Client) -> None:
        self.client, self.borrowers, self.retired = client, 0, False


class Clients:
    """The process's one client, replaced when its connections may have been cut; the old one ends with its last
    user."""

    def __init__(self, pool: tuple[int, int]) -> None:
        self._lock = threading.Lock()
        self._pool = pool
        self._current: _Client | None = None
        self._answered_at = 0.0

    def borrow(self, idle_seconds: float) -> _Client:
        with self._lock:
            # The wall clock: the other one, by which httpx lets connections go, may stand still in a frozen function.
            if self._current is not None and abs(time.time() - self._answered_at) > idle_seconds:
                self._retire()
            if self._current is None:
                self._current = _Client(self._open())
                self._answered_at = time.time()
            self._current.borrowers += 1
            return self._current

    def give_back(self, one: _Client, *, broken: bool = False) -> None:
        with self._lock:
            one.borrowers -= 1
            if broken and one is self._current:
                self._retire()
            elif one is self._current:
                self._answered_at = time.time()
            if one.retired and not one.borrowers:
                one.client.close()

    def retire(self) -> None:
        with self._lock:
            self._retire()

    def _retire(self) -> None:
        one, self._current = self._current, None
        if one is not None:
            one.retired = True
            if not one.borrowers:
                one.client.close()

    def _open(self) -> httpx.Client:
        kept, most = self._pool
        limits = httpx.Limits(
            max_connections=most + WRITES_AT_ONCE,
            max_keepalive_connections=kept + WRITES_AT_ONCE,
            keepalive_expiry=IDLE_SECONDS["read"],
        )
        options: list[Any] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # What was sent and nobody confirms: a connection cut without a word is given up after this, in ms.
            options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(CONNECT_SECONDS * 1000)))
        made = transport(verify=certificates(), limits=limits, socket_options=options)
        return httpx.Client(transport=made, follow_redirects=False)


@cache
def certificates() -> Any:
    """Once per process: it takes longer than a request."""
    return httpx.create_ssl_context()


def _exchange(client: httpx.Client, place: Place, body: bytes, seconds: float, headers: dict[str, str]) -> Answered:
    """Post and read the answer to its end, by the deadline, also if it comes drop by drop. Raises httpx.HTTPError."""
    sent = {"content-type": "application/json", **place.headers, **headers}
    times = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=min(CONNECT_SECONDS, seconds))
    with (
        ends_within(seconds),
        client.stream("POST", place.url, content=body, headers=sent, timeout=times) as answer,
    ):
        found = bytearray()
        for chunk in answer.iter_bytes():
            found += chunk
            if len(found) > ANSWER_BYTES_MAX:
                raise TooLarge(f"{place.host}: the answer has more than {ANSWER_BYTES_MAX} bytes")
        return Answered(answer.status_code, answer.headers, bytes(found))


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__


def mapped(message: str) -> DatabaseError:
    """An engine's message as ours, where every engine words it alike."""
    if found := error_from(message):
        return found
    if any(words in message for words in BEHIND):
        return SchemaBehind(message)
    if "SQLITE_CONSTRAINT" in message:
        return Conflict("trigger", message)
    return DatabaseError(message)


def address(url: str) -> tuple[str, str, list[str]]:
    """The host's name, `http(s)://host[:port]` and the path's segments of a URL whose form was looked at before.

    https unless it says `?tls=0`.
    """
    parts = urlsplit(url)
    scheme = "http" if parts.query == "tls=0" else "https"
    return parts.hostname or "", f"{scheme}://{parts.netloc}", [part for part in parts.path.split("/") if part]

"""The SQLite file: opening connections that keep the promises, running reads and batches on them, and the
database of a handler (one aiosqlite connection, one thread hop for a whole read or batch).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from db.engines.trips import CONNECT_SECONDS, Stopwatch, checked, retried
from db.failpoints import failpoint
from db.helper import (
    BEHIND,
    Busy,
    Conflict,
    Database,
    DatabaseError,
    Refused,
    Results,
    SchemaBehind,
    TimedOut,
    Unavailable,
    Unknown,
    error_from,
)
from db.sql import Statement

try:  # The wheels of pysqlite3 carry a modern SQLite; where there is none, the standard library's has to do.
    from pysqlite3 import dbapi2 as _binding
except ImportError:  # pragma: no cover - depends on the platform
    import sqlite3 as _binding

binding: Any = _binding

Connection = Any
Result = TypeVar("Result")

SAFE_WAL: Final = (3, 51, 3)
"""Before this release two connections writing and checkpointing at once could corrupt a WAL file."""
AWAY: Final = (
    "disk I/O error",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "database disk image is malformed",
    "file is not a database",
)
LOG_BYTES_KEPT: Final = 33_554_432
"""To this the log's file shrinks when it begins anew; a long read by somebody else may have made it grow. Not to less:
a COMMIT that writes over what is there waits for the disk half as long as one that makes the file grow."""
TICK_STEPS: Final = 20_000
"""Virtual machine steps between two looks at the clock; some 1 ms."""


def path_of(url: str) -> Path:
    """The file of `sqlite:///relative.db` or `sqlite:////absolute.db`. Raises ValueError otherwise."""
    parts = urlsplit(url)
    path = unquote(parts.path)[1:]
    if not url.startswith("sqlite:///") or not path or path == ":memory:" or parts.query or parts.fragment:
        raise ValueError(
            f"DATABASE_URL {url!r}: write sqlite:///relative.db or sqlite:////absolute.db (a file, no options)"
        )
    return Path(path)


def open_connection(path: Path, *, busy_seconds: float = CONNECT_SECONDS, any_thread: bool = False) -> Connection:
    """A connection whose promises are read back: foreign keys, checks, FULL durability, WAL (or TRUNCATE).

    Raises DatabaseError if the file cannot be opened or a promise does not hold.
    """
    try:
        connection = binding.connect(
            str(path),
            timeout=busy_seconds,
            isolation_level=None,
            cached_statements=512,
            check_same_thread=not any_thread,
        )
    except binding.OperationalError as error:
        raise Unavailable(f"{path}: {error}") from error
    try:
        _promise(connection, path)
    except binding.Error as error:
        connection.close()
        raise mapped(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _promise(connection: Connection, path: Path) -> None:
    def pragma(text: str) -> Any:
        row = connection.execute(f"PRAGMA {text}").fetchone()
        return row[0] if row else None

    wal = binding.sqlite_version_info >= SAFE_WAL
    wanted = "wal" if wal else "truncate"
    if pragma("journal_mode") != wanted:
        mode = pragma(f"journal_mode = {wanted}")
        if not wal:
            _warn_of_an_old_sqlite()
        if mode != wanted:
            raise DatabaseError(f"{path}: journal_mode is {mode}, not {wanted}")
    pragma(f"journal_size_limit = {LOG_BYTES_KEPT}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
    kept = {
        "foreign_keys": 1,
        "synchronous": 2,
        "ignore_check_constraints": 0,
        "writable_schema": 0,
    }
    for name, value in kept.items():
        if (found := pragma(name)) != value:
            raise DatabaseError(f"{path}: PRAGMA {name} reads back {found}, not {value}")
    try:
        connection.execute("SELECT json_extract('{}', 'guard:selftest:it''s \"ok\"')").fetchone()
    except binding.OperationalError as error:
        spoken = error_from(str(error))
        if isinstance(spoken, Refused) and (spoken.code, spoken.detail) == (
            "selftest",
            'it\'s "ok"',
        ):
            return
    raise DatabaseError(f"SQLite {binding.sqlite_version} words a guard in a way that we do not understand")


@cache
def _warn_of_an_old_sqlite() -> None:
    """Once a process."""
    print(  # noqa: T201 - logging is not set up this deep, and silence would hide a slower shop
        f"warning: SQLite {binding.sqlite_version} has a WAL corruption race (fixed in 3.51.3): "
        "using journal_mode=TRUNCATE, which is slower. Install pysqlite3 for a modern one.",
        file=sys.stderr,
    )


def mapped(error: Exception, *, committing: bool = False) -> DatabaseError:
    """The driver's error as ours. A COMMIT that failed for another reason than a lock has an unknown outcome."""
    message = str(error)
    if message == "interrupted" and not committing:
        return TimedOut("stopped after the query time-out")
    if "database is locked" in message or "database table is locked" in message:
        return Busy(message)
    if found := error_from(message):
        return found
    if committing:
        return Unknown(message)
    if any(words in message for words in AWAY):
        return Unavailable(message)
    if any(words in message for words in BEHIND):
        return SchemaBehind(message)
    if isinstance(error, binding.IntegrityError):
        return Conflict("trigger", message)
    return DatabaseError(message)


def run(connection: Connection, statements: Sequence[Statement], watch: Stopwatch) -> Results:
    """Run the statements one after the other on an open transaction; the rows of each."""
    execute = connection.execute
    clock = time.perf_counter
    results = Results()
    for sql, values in statements:
        began = clock()
        cursor = execute(sql.text, values)
        described = cursor.description
        if described is None:
            results.append([])
        else:
            names = [column[0] for column in described]
            results.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
        if (took := clock() - began) > watch.slowest_seconds:
            watch.slowest_seconds, watch.slowest = took, sql
    return results


Work = Callable[[Connection, Sequence[Statement], Stopwatch], Results]


def run_read(connection: Connection, statements: Sequence[Statement], watch: Stopwatch) -> Results:
    """All statements from one snapshot. Raises DatabaseError."""
    try:
        if len(statements) == 1:
            return run(connection, statements, watch)
        connection.execute("BEGIN")
        try:
            return run(connection, statements, watch)
        finally:
            roll_back(connection)
    except binding.Error as error:
        raise mapped(error) from error


def run_batch(connection: Connection, statements: Sequence[Statement], watch: Stopwatch) -> Results:
    """All statements or none. Raises DatabaseError."""
    committing = False
    try:
        connection.execute("BEGIN IMMEDIATE")
        failpoint("after_begin")
        results = run(connection, statements, watch)
        committing = True
        failpoint("before_commit")
        connection.execute("COMMIT")
        failpoint("after_commit")
        return results
    except binding.Error as error:
        raise mapped(error, committing=committing) from error
    finally:
        roll_back(connection)


def roll_back(connection: Connection) -> None:
    """End the transaction that is still open, if any."""
    if connection.in_transaction:
        # Past its deadline even ROLLBACK, once done, may be told "interrupted"; that must not hide the first error.
        with suppress(binding.Error):
            connection.execute("ROLLBACK")


def stop_after(connection: Connection, seconds: float) -> Callable[[], None]:
    """Interrupt whatever runs on `connection` longer than `seconds` after the returned function was called."""
    deadline = float("inf")

    def start() -> None:
        nonlocal deadline
        deadline = time.monotonic() + seconds

    connection.set_progress_handler(lambda: time.monotonic() > deadline, TICK_STEPS)
    return start


class Thread:
    """An aiosqlite connection that runs a whole read or batch in one hop.

    aiosqlite offers one hop per statement, at twice the cost; its private `_execute` is used here and nowhere else,
    its version is pinned and tests/db/test_sqlite.py holds it.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._path, self._timeout_seconds = path, timeout_seconds
        self._connection: Any = None
        self._opening = asyncio.Lock()
        self._start: Callable[[], None] = lambda: None

    def _open(self) -> Connection:
        connection = open_connection(self._path)
        self._start = stop_after(connection, self._timeout_seconds)
        return connection

    async def call(self, work: Callable[..., Result], statements: Sequence[Statement], watch: Stopwatch) -> Result:
        if self._connection is None:
            async with self._opening:
                if self._connection is None:
                    self._connection = await self._connect()
        return await self._connection._execute(self._run, work, statements, watch)  # type: ignore[no-any-return]

    async def _connect(self) -> Any:
        from aiosqlite import Connection as AioConnection

        connection = AioConnection(self._open, 64)
        # The thread must not keep a process alive whose owner forgot to close; that loses nothing.
        connection._thread.daemon = True
        try:
            return await connection
        except BaseException:
            # aiosqlite stops the thread but does not wait for it: its last answer could meet a closed loop.
            await asyncio.to_thread(connection._thread.join)
            raise

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def _run(self, work: Callable[..., Result], statements: Sequence[Statement], watch: Stopwatch) -> Result:
        self._start()
        return work(self._connection._conn, statements, watch)

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


class SqliteFile:
    """The database of a handler: one connection, one hop for a read or a batch, one at a time like a Lambda."""

    engine = "sqlite"

    def __init__(self, path: Path, timeout_ms: int) -> None:
        self.trips = 0
        self._thread = Thread(path, timeout_ms / 1000)

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        return await self._trip("read", run_read, checked(statements, reading=True))

    async def batch(self, statements: Sequence[Statement]) -> Results:
        return await self._trip("batch", run_batch, checked(statements))

    async def _trip(self, kind: str, work: Work, statements: Sequence[Statement]) -> Results:
        self.trips += 1
        watch = Stopwatch()
        failed: Exception | None = None
        try:
            return await retried(lambda: self._thread.call(work, statements, watch))
        except Exception as error:
            failed = error
            raise
        finally:
            watch.report(kind, len(statements), failed)

    async def health(self) -> bool:
        return await self._thread.call(lambda connection, *_: foreign_keys_on(connection), (), Stopwatch())

    async def close(self) -> None:
        await self._thread.close()


def foreign_keys_on(connection: Connection) -> bool:
    return bool(connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1)


async def open_database(url: str, *, serving: bool, timeout_ms: int, pool: tuple[int, int]) -> Database:
    """The database of `url`. A serving one needs WAL; without it readers would stop the writer."""
    path = path_of(url)
    if not path.parent.is_dir():
        raise Unavailable(f"{url}: the folder {path.parent} does not exist")
    if serving and binding.sqlite_version_info >= SAFE_WAL:
        from db.engines.sqlite_serving import SqliteServing

        return SqliteServing(path, timeout_ms, pool)
    return SqliteFile(path, timeout_ms)

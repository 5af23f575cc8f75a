"""The only door to the database: `read` (one snapshot) and `batch` (all or nothing), on every engine.

There is no `begin`: what Cloudflare D1 cannot do, nobody can write. A write is a list of statements with its guards
inside, sent in one round trip; foreign keys are enforced on every connection, read back and proved at connect.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol

from db.sql import Sql, Statement, Value, check_values

Row = dict[str, Any]
ROWS_BYTES_MAX: Final = 500_000
"""JSON bytes of one chunk of `insert_many`: a quarter of what D1 takes as one value."""
STATEMENTS_MAX: Final = 1_000


class DatabaseError(Exception):
    """What a batch or read may raise; unless the class says otherwise, nothing was written."""


class Refused(DatabaseError):
    """A guard spoke: `code` is stable, `detail` its text (often JSON)."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail = code, detail


class Conflict(DatabaseError):
    """A constraint of the schema spoke.

    `kind` is unique, check, not_null, foreign_key, type or trigger; `what` is the constraint's name, the columns
    (`products.slug`), or empty for a foreign key, of which SQLite says no more.
    """

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}" if what else kind)
        self.kind, self.what = kind, what


class Busy(DatabaseError):
    """Provably not run: another writer held the database longer than the time-out. Safe to repeat."""


class TimedOut(DatabaseError):
    """Took longer than the query time-out and was stopped; rolled back."""


class Unavailable(DatabaseError):
    """The engine is away or cannot write (full disk, I/O error, no such file). Nothing was kept."""


class SchemaBehind(DatabaseError):
    """The database lacks a table or column that a statement names: migrations are pending. Nothing was kept."""


class Unknown(DatabaseError):
    """Sent, and not known to have been kept or not. Repeat only what begins with its idempotency guard."""


class Trip(NamedTuple):
    """One round trip, for logs and counters. `seconds` in all; `slowest` is the statement that took longest."""

    kind: str
    engine: str
    seconds: float
    statements: int
    slowest: Sql | None
    slowest_seconds: float
    error: str | None = None
    what: str = ""
    """Of an error: the guard's code, or the constraint's kind and name. Never a value."""


class Results(list[list[Row]]):
    """The rows of each statement. `token` tells a later read how new it must be; None where there are no replicas."""

    token: str | None = None


class Database(Protocol):
    """What every engine offers. One per process, reused over warm invocations."""

    engine: str
    trips: int

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        """The rows of each statement, all from one snapshot, in one round trip. Raises DatabaseError.

        A replica may answer where the engine has one: with `after`, the read-after token of a write, at least that
        new; with `replica`, however old. Without either, and whenever a replica does not do, the primary answers.
        """
        ...

    async def batch(self, statements: Sequence[Statement]) -> Results:
        """All statements or none, in one round trip; the rows of each. Raises DatabaseError."""
        ...

    async def health(self) -> bool:
        """Whether the engine answers and enforces foreign keys (read back where the engine lets us)."""
        ...

    async def close(self) -> None:
        """Close all connections; a later call opens them again."""
        ...


observers: Final[list[Callable[[Trip], None]]] = []
"""Called after each round trip of each engine (logs, counters)."""


URL_FORMS: Final = (
    "sqlite:///path/of/the/file.db, libsql://host[:port][/namespace] or d1://host[:port]/database; for the last two "
    "?tls=0 means plain HTTP, and a token stands in DATABASE_TOKEN"
)
_HOST: Final = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_URL: Final = re.compile(
    r"sqlite:///[^?#]+"
    rf"|libsql://{_HOST}(?:/[\w-]+)?/?(?:\?tls=[01])?"
    rf"|d1://{_HOST}(?:/[\w-]+){{1,2}}(?:\?tls=[01])?",
    re.A,
)


def engine_of(url: str) -> str:
    """The engine that a URL names: sqlite, libsql or d1. Raises ValueError, without the URL: it may hold a secret."""
    if _URL.fullmatch(url) is None:
        raise ValueError(f"DATABASE_URL: write {URL_FORMS}")
    return url.partition(":")[0]


def prepare(url: str) -> None:
    """What the first trip would wait for, done beforehand: the engine is imported, the certificates are read.

    Raises ValueError for a URL that names no engine.
    """
    engine = engine_of(url)
    import_module(f"db.engines.{engine}")
    if engine != "sqlite":
        from db.engines.http import certificates

        certificates()


async def connect(
    url: str,
    *,
    serving: bool = False,
    timeout_ms: int = 10_000,
    pool: tuple[int, int] = (5, 20),
    token: str | None = None,
    replica_url: str | None = None,
) -> Database:
    """The database behind `url`; imports only that engine's module, and opens connections when they are needed.

    `serving` is for one process that serves many requests at once: on a file it commits in groups and reads beside the
    writer. `timeout_ms` stops a statement that runs longer. `pool` is how many connections for reading stay open, and
    how many there may be. `token` is what an engine over HTTP asks for, DATABASE_TOKEN of the environment by default;
    `replica_url` names a libSQL replica for reads. Raises ValueError for a URL that names no engine.
    """
    engine = engine_of(url)
    if engine == "sqlite":
        from db.engines import sqlite

        return await sqlite.open_database(url, serving=serving, timeout_ms=timeout_ms, pool=pool)
    token = os.environ.get("DATABASE_TOKEN") if token is None else token
    if engine == "libsql":
        from db.engines import libsql

        return libsql.open_database(url, timeout_ms=timeout_ms, pool=pool, token=token, replica_url=replica_url)
    from db.engines import d1

    return d1.open_database(url, timeout_ms=timeout_ms, pool=pool, token=token)


# A typo of ours would look alike, but no statement of ours gets past the plan test with one.
BEHIND: Final = ("no such table", "no such column")
_GUARD: Final = re.compile(r"guard:([a-z_]+):(.*)", re.S)
_CONSTRAINT: Final = re.compile(r"(UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed(?:: (.*))?", re.S)


def error_from(message: str) -> DatabaseError | None:
    """The error that an engine's message means, or None if it is none of ours. Engines word the rest differently."""
    if spoken := _GUARD.search(message):
        code, detail = spoken.groups()
        quoted = detail.rfind("'")
        return Refused(code, detail[: quoted if quoted >= 0 else None].replace("''", "'"))
    if failed := _CONSTRAINT.search(message.partition(": SQLITE_")[0]):
        kind, what = failed.groups()
        return Conflict(kind.lower().replace(" ", "_"), re.sub(r"^index '(.*)'$", r"\1", what or ""))
    if mistyped := re.search(r"cannot store .* value in .* column \S+\b|datatype mismatch", message):
        return Conflict("type", mistyped[0])
    if appended := re.search(r"(\w+_(?:append_only|\w+_refused))\b", message):
        return Conflict("trigger", appended[1])
    return None


def insert_statements(table: str, records: Iterable[Mapping[str, Value]]) -> list[Statement]:
    """Statements that insert `records` (all with the same columns) into `table`: one JSON text per chunk.

    Raises ValueError for a name that is no identifier or for records with differing columns; before anything is sent.
    """
    rows = list(records)
    if not rows:
        return []
    columns = list(rows[0])
    for name in (table, *columns):
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name) is None:
            raise ValueError(f"{name!r} is no identifier of ours")
    if not columns or len(columns) > 100:
        raise ValueError(f"{table}: 1 to 100 columns, not {len(columns)}")
    picked = ", ".join(f"value ->> '$.{name}'" for name in columns)
    sql = Sql(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {picked} FROM json_each(:records)",
        registered=False,
    )
    chunks: list[list[str]] = [[]]
    size = 0
    for row in rows:
        if row.keys() != rows[0].keys():
            raise ValueError(f"{table}: expected the columns {columns}, got {list(row)}")
        check_values(row.values())
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
        size += len(text.encode())
        if size > ROWS_BYTES_MAX and chunks[-1]:
            chunks.append([])
            size = len(text.encode())
        chunks[-1].append(text)
    return [sql(records=f"[{','.join(chunk)}]") for chunk in chunks]


async def insert_many(db: Database, table: str, records: Iterable[Mapping[str, Value]]) -> int:
    """Insert `records` into `table` atomically, whatever their number. Returns how many were inserted."""
    rows = list(records)
    statements = insert_statements(table, rows)
    if statements:
        await db.batch(statements)
    return len(rows)

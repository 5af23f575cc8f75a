"""The only door to the database: `read` (one snapshot) and `batch` (all or nothing), on every engine.

There is no `begin`: what Cloudflare D1 cannot do, nobody can write. A write is a list of statements with its guards
inside, sent in one round trip; foreign keys are enforced on every connection, read back and proved at connect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

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


class Database(Protocol):
    """What every engine offers. One per process, reused over warm invocations."""

    engine: str
    trips: int

    async def read(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement, all from one snapshot, in one round trip."""
        ...

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
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


async def connect(
    url: str, *, serving: bool = False, timeout_ms: int = 10_000, pool: tuple[int, int] = (5, 20)
) -> Database:
    """The database behind `url`; imports only that engine's module.

    `serving` is for one process that serves many requests at once: it commits in groups and reads beside the writer.
    `timeout_ms` stops a statement that runs longer. `pool` is how many connections for long reads stay open, and how
    many there may be; they open when needed. Raises ValueError for a URL that names no engine.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from db.engines import sqlite

        return await sqlite.open_database(url, serving=serving, timeout_ms=timeout_ms, pool=pool)
    raise ValueError(f"DATABASE_URL: {scheme or url!r} is no engine; write sqlite:///path/of/the/file.db")


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
    if "cannot store " in message or "datatype mismatch" in message:
        return Conflict("type", message)
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

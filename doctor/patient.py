"""The database that is examined: one question a time, on every engine, and only questions.

On a file each question is a read of its own: a long transaction would keep the writers of a rollback-journal file
waiting. Over HTTP it is `Database.read`, which refuses whatever could write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from db.engines.sqlite import binding, mapped, path_of
from db.helper import Busy, DatabaseError, Row, TimedOut, Unavailable, connect, engine_of
from db.sql import LimitExceeded, unregistered
from doctor.file import Header, header_of, read_only

TIMEOUT_MS: Final = 600_000


class Patient(Protocol):
    """`engine` is sqlite, libsql or d1; `name` what a report calls it; `header` a file's own words about itself."""

    @property
    def engine(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def header(self) -> Header | None: ...

    async def ask(self, sql: str, **values: Any) -> list[Row]:
        """The rows of one SELECT or EXPLAIN with its `:name` values. Raises DatabaseError."""
        ...


class FilePatient:
    """A file, through a connection of `read_only`."""

    engine = "sqlite"

    def __init__(self, path: Path, connection: Any, header: Header) -> None:
        self.name, self.header, self.connection = str(path), header, connection

    async def ask(self, sql: str, **values: Any) -> list[Row]:
        try:
            cursor = self.connection.execute(sql, values)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except binding.Error as error:
            raise mapped(error) from error


class FarPatient:
    """A libSQL or D1 database, through the helper."""

    header = None

    def __init__(self, url: str, db: Any) -> None:
        self.engine, self.name, self._db = engine_of(url), url, db

    async def ask(self, sql: str, **values: Any) -> list[Row]:
        try:
            asked = unregistered(sql)
        except LimitExceeded as error:
            raise DatabaseError(str(error)) from error
        (rows,) = await self._db.read(asked(**values))
        return list(rows)


@asynccontextmanager
async def patient_of(url: str) -> AsyncIterator[Patient]:
    """The database of a URL, or of a bare path. Raises Unreadable, ValueError for a URL that names no engine."""
    path = file_named(url)
    if path is not None:
        header = header_of(path)
        with read_only(path) as connection:
            patient = FilePatient(path, connection, header)
            await patient.ask("SELECT count(*) FROM sqlite_schema")  # a torn or encrypted file says so here
            yield patient
        return
    db = await connect(url, timeout_ms=TIMEOUT_MS)
    try:
        yield FarPatient(url, db)
    finally:
        await db.close()


def file_named(url: str) -> Path | None:
    """The file that a URL or a bare path names, None for a server's URL. Raises ValueError."""
    if url.startswith("sqlite:"):
        return path_of(url)
    return None if "://" in url else Path(url)


async def asked(patient: Patient, sql: str, **values: Any) -> list[Row] | None:
    """The rows, or None where the engine does not let one ask, not for so long, or the file is too broken to answer.

    An engine that is away or busy is not such a case: it raises.
    """
    try:
        return await patient.ask(sql, **values)
    except Busy:
        raise
    except TimedOut:
        return None
    except Unavailable as error:
        if "malformed" in str(error):
            return None
        raise
    except DatabaseError:
        return None

"""Invariants: queries in `db/invariants/*.sql` that must return no row, whatever has happened to the shop.

A file holds one SELECT; its first line is a comment that says what is true. All run in one snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db.helper import Busy, Database, DatabaseError, Row, TimedOut, Unavailable
from db.migration_files import split
from db.sql import LimitExceeded, Sql, unregistered

DIRECTORY: Final = Path(__file__).parent / "invariants"
ROWS_MAX: Final = 100
"""Rows told of one violated invariant; there may be more."""


class InvariantError(Exception):
    """A file that cannot be asked: no comment, no statement, or one that the schema does not know."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """`name` is the file's name without `.sql`; `sentence` its first comment line, what is true if no row comes."""

    name: str
    sentence: str
    sql: Sql


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant answered: no rows if it holds, else the first `ROWS_MAX` that break it."""

    name: str
    sentence: str
    rows: tuple[Row, ...]

    @property
    def holds(self) -> bool:
        return not self.rows


def read(directory: Path = DIRECTORY) -> list[Invariant]:
    """The invariants of a folder, by name. Raises InvariantError."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        first = text.split("\n", 1)[0].strip()
        if not first.startswith("--") or not first.strip("- "):
            raise InvariantError(f"{path.name}: begin it with a comment that says what is true")
        try:
            statements = split(text if text.rstrip().endswith(";") else f"{text}\n;")
            if len(statements) != 1:
                raise InvariantError(f"{path.name}: one SELECT a file, not {len(statements)}")
            sql = unregistered(f"SELECT * FROM (\n{statements[0]}\n) LIMIT {ROWS_MAX}")
        except (LimitExceeded, ValueError) as error:
            raise InvariantError(f"{path.name}: {error}") from error
        if sql.names:
            raise InvariantError(f"{path.name}: an invariant takes no :parameter")
        found.append(Invariant(path.stem, first.lstrip("- "), sql))
    if not found:
        raise InvariantError(f"{directory} holds no invariant")
    return found


async def check(db: Database, directory: Path = DIRECTORY) -> list[Finding]:
    """Ask every invariant, all of one snapshot. Raises InvariantError for one that the schema does not know."""
    invariants = read(directory)
    try:
        answers = await db.read(*(invariant.sql() for invariant in invariants))
    except (Busy, TimedOut, Unavailable):
        raise
    except DatabaseError as error:
        raise InvariantError(await _culprit(db, invariants) or str(error)) from error
    return [
        Finding(invariant.name, invariant.sentence, tuple(rows))
        for invariant, rows in zip(invariants, answers, strict=True)
    ]


async def _culprit(db: Database, invariants: list[Invariant]) -> str | None:
    for invariant in invariants:
        try:
            await db.read(invariant.sql())
        except DatabaseError as error:
            return f"{invariant.name}.sql: {error}. Is the database migrated? (tally migrate status)"
    return None

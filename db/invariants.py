"""Invariants: queries in `db/invariants/*.sql` that must return no row, whatever has happened to the shop.

A file holds one SELECT; its first line is a comment that says what is true. All run in one snapshot, and a statement
that asks the clock stands between them: how long each took is the engine's own word. The files of `deep/` read the
whole database page by page; not every engine answers them, and what is not answered is told, never passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db.helper import Busy, Database, DatabaseError, Results, Row, TimedOut, Unavailable
from db.migration_files import split
from db.sql import LimitExceeded, Sql, unregistered

DIRECTORY: Final = Path(__file__).parent / "invariants"
ROWS_MAX: Final = 100
"""Rows told of one violated invariant; there may be more."""
MALFORMED: Final = "database disk image is malformed"
_CLOCK: Final = unregistered("SELECT strftime('%J', 'now') AS day")
"""Days as a decimal number: what every engine answers anew for each statement, to the millisecond."""


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
    """What one invariant answered: no rows if it holds, else the first `ROWS_MAX` that break it.

    `seconds` is how long the engine took. `not_asked` says why there is no answer; then it neither holds nor is broken.
    """

    name: str
    sentence: str
    rows: tuple[Row, ...] = ()
    seconds: float = 0.0
    not_asked: str | None = None

    @property
    def holds(self) -> bool:
        return not self.rows and self.not_asked is None


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


async def check(db: Database, directory: Path = DIRECTORY, *, deep: bool = False) -> list[Finding]:
    """Ask every invariant, all of one snapshot; with `deep` first those of `deep/`, each by itself.

    Where those have found damage, the others may not be readable: then they are told as not asked. Raises
    InvariantError for one that the schema does not know, and what a read raises.
    """
    invariants = read(directory)
    found = [await _deep(db, one) for one in read(directory / "deep")] if deep else []
    try:
        return [*await _asked(db, invariants), *found]
    except (Busy, TimedOut):
        raise
    except Unavailable as error:
        if MALFORMED not in str(error) or not any(one.rows for one in found):
            raise
        return [*(Finding(one.name, one.sentence, not_asked=str(error)) for one in invariants), *found]
    except DatabaseError as error:
        raise InvariantError(await _culprit(db, invariants) or str(error)) from error


async def _deep(db: Database, invariant: Invariant) -> Finding:
    try:
        [finding] = await _asked(db, [invariant])
    except (Busy, TimedOut):
        raise
    except Unavailable as error:
        if MALFORMED not in str(error):
            raise
        return Finding(invariant.name, invariant.sentence, ({"problem": str(error)},))  # it gave up reading
    except DatabaseError as error:  # the engine does not let its clients ask this
        return Finding(invariant.name, invariant.sentence, not_asked=str(error))
    return finding


async def _asked(db: Database, invariants: list[Invariant]) -> list[Finding]:
    statements = [statement for one in invariants for statement in (one.sql(), _CLOCK())]
    answers = await db.read(_CLOCK(), *statements)
    times = [_seconds(answers, number) for number in range(0, len(answers), 2)]
    return [
        Finding(one.name, one.sentence, tuple(answers[2 * number + 1]), round(times[number + 1] - times[number], 3))
        for number, one in enumerate(invariants)
    ]


def _seconds(answers: Results, number: int) -> float:
    return float(answers[number][0]["day"]) * 86_400


async def _culprit(db: Database, invariants: list[Invariant]) -> str | None:
    for invariant in invariants:
        try:
            await db.read(invariant.sql())
        except DatabaseError as error:
            return f"{invariant.name}.sql: {error}. Is the database migrated? (tally migrate status)"
    return None

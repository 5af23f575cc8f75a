"""The migration runner: `db/migrations` and a database, brought to the same version.

A version's statements and its own row of the table `migrations` are one batch, so a crash leaves the version wholly
applied or not at all. The batch begins with a guard on the version before it: of two runners at once the second
is told that the version is there already, and goes on.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from db import drift, migration_files, migration_loss, migration_state
from db.failpoints import failpoint
from db.helper import (
    STATEMENTS_MAX,
    Busy,
    Database,
    DatabaseError,
    Refused,
    TimedOut,
    Unavailable,
    Unknown,
    connect,
)
from db.migration_files import DIRECTORY, Migration, MigrationError, create
from db.migration_loss import Loss
from db.migration_state import FORGET, IS_AT, RECORD, TABLE, Applied, Status
from db.sql import Statement, guard, unregistered

__all__ = ["DIRECTORY", "TIMEOUT_MS", "MigrationError", "Migrations", "Report", "Step", "create", "wait"]

PATIENCE_SECONDS: Final = 60.0
"""How long another process may hold the database, or undo what we do, before we give up."""
TIMEOUT_MS: Final = 600_000
"""For a statement of a migration: an index over a big table takes longer than a request may."""

_TOO_MUCH: Final = "the way back has too many statements for one batch: go back in smaller steps, or split the file"
_STOP: Final = unregistered(guard("0", "dry_run"))
_OBJECTS: Final = unregistered(f"""
    SELECT s.type, s.name, t.type AS kind FROM sqlite_schema AS s LEFT JOIN pragma_table_list AS t ON t.name = s.name
    WHERE {drift.ours("s.name")}
      AND s.type IN ('table', 'view', 'trigger') AND t.type IS NOT 'shadow'
""")
_PARENTS: Final = unregistered(f"""
    SELECT t.name AS child, f."table" AS parent FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
    WHERE t.type = 'table' AND {drift.ours("t.name")} AND f."table" <> t.name
""")
_DEFER: Final = unregistered("PRAGMA defer_foreign_keys = ON")


class Step(NamedTuple):
    """One version applied or undone. `seconds` is 0 for what was undone together with others."""

    migration: Migration
    statements: tuple[Statement, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `version` is where the database is now; `lost` what a way back threw away."""

    steps: tuple[Step, ...]
    version: int
    seconds: float
    lost: tuple[Loss, ...] = ()


class Migrations:
    """The migrations of a folder. Every method that finds something wrong raises MigrationError, and says so first."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        self.files = migration_files.read(directory)

    @property
    def latest(self) -> int:
        return max(self.files.names, default=0)

    async def up(self, db: Database, to: int | None = None) -> Report:
        """Apply what is pending, up to version `to`. Waits up to a minute for another writer; raises MigrationError."""
        began = time.perf_counter()
        target = self.latest if to is None else to
        steps: list[Step] = []
        reached, deadline, failed = -1, time.monotonic() + PATIENCE_SECONDS, "another process moves the version"
        while time.monotonic() < deadline:
            try:
                applied = await migration_state.read(db)
                self._refuse(self._problems(applied))
                version = applied[-1].version if applied else 0
                if reached < 0 and not version <= target <= self.latest:
                    raise MigrationError(_no_target("up", target, version, self.latest))
                if version >= target:
                    return Report(tuple(steps), version, time.perf_counter() - began)
                if version > reached:
                    reached, deadline = version, time.monotonic() + PATIENCE_SECONDS
                migration = self.files.migrations[version + 1]
                started = time.perf_counter()
                if await self._apply(db, migration):
                    steps.append(Step(migration, migration.statements, time.perf_counter() - started))
            except (Busy, Unknown) as error:
                # Not run, or run with an unknown end: the table `migrations` tells which, and the guard
                # refuses to apply a version twice.
                failed = str(error)
                await asyncio.sleep(0.05)
        raise MigrationError(f"gave up at version {max(reached, 0)} after {PATIENCE_SECONDS:.0f} seconds: {failed}")

    async def _apply(self, db: Database, migration: Migration) -> bool:
        """Apply one version; False if another runner was first."""
        before = [IS_AT(version=migration.version - 1)]
        if migration.version == 1:
            before.insert(0, TABLE())
        record = RECORD(
            version=migration.version,
            name=migration.name,
            checksum=migration.checksum,
            statements=len(migration.statements),
            now=_now(),
        )
        batch = [*before, *migration.statements, record]
        if len(batch) > STATEMENTS_MAX:
            raise MigrationError(
                f"{migration.file} has {len(migration.statements)} statements; split it, "
                f"a version holds {STATEMENTS_MAX - 3} at most"
            )
        try:
            failpoint("migration_before_version")
            await db.batch(batch)
            failpoint("migration_after_version")
        except (Busy, Unknown, Unavailable):
            raise
        except DatabaseError as error:
            if isinstance(error, Refused) and error.code == "version_moved":
                return False
            where = await _culprit(db, before, batch, error)
            raise MigrationError(
                f"{migration.file}{where}: {error}. Nothing of it was kept, the database is at version "
                f"{migration.version - 1}: mend the file, or the rows that stand against it, and go up again"
            ) from error
        return True

    async def down(self, db: Database, to: int, lose_data: bool = False, production: bool = False) -> Report:
        """Undo every version above `to`, all in one batch.

        Rows or values that would be lost are counted in the same transaction; then `lose_data` is needed, and in
        production nothing helps. Raises MigrationError, having changed nothing; Busy.
        """
        began = time.perf_counter()
        applied = await migration_state.read(db)
        self._refuse(self._problems(applied, undoing=to))
        version = applied[-1].version if applied else 0
        if not 0 <= to <= version:
            raise MigrationError(_no_target("down", to, version, self.latest))
        undone = [self.files.migrations[number] for number in range(version, to, -1)]
        self._refuse(
            [
                f"down/{one.file} cannot be undone: {one.irreversible}. Go forward with a new migration, or "
                "restore a backup"
                for one in undone
                if one.irreversible
            ]
        )
        lost = await self._undo(db, undone, to, lose_data, production) if undone else ()
        steps = tuple(Step(one, one.down, 0.0) for one in undone)
        return Report(steps, to, time.perf_counter() - began, lost)

    async def _undo(
        self, db: Database, undone: list[Migration], to: int, lose_data: bool, production: bool
    ) -> tuple[Loss, ...]:
        (rows,) = await db.read(migration_loss.COLUMNS())
        before = migration_loss.columns_of((row["in_table"], row["in_column"]) for row in rows)
        way_back = [IS_AT(version=undone[0].version), *(one for each in undone for one in each.down)]
        after = await self._dry_run(db, undone, way_back)
        careful = production or not lose_data
        batch = [
            *migration_loss.count(before, after, await self._made_rows(undone[0].version) if careful else {}),
            *way_back,
            *migration_loss.compare(before, after),
            migration_loss.REFUSE_LOSS() if careful else migration_loss.LOST(),
            FORGET(version=to),
            migration_loss.FORGET_COUNTS(),
        ]
        if len(batch) > STATEMENTS_MAX:
            raise MigrationError(_TOO_MUCH)
        try:
            told = (await db.batch(batch))[-3]
        except (Busy, Unknown, Unavailable):
            raise
        except DatabaseError as error:
            if not isinstance(error, Refused):  # every statement has run before: it is COMMIT that fails
                raise MigrationError(f"{_ways_back(undone)}, at its end: {error}. Nothing was changed") from error
            if error.code != "rows_lost":
                raise MigrationError(_refused(error)) from error
            lost = ", ".join(str(loss) for loss in migration_loss.losses_told(error.detail))
            advice = "nothing was changed. Add --lose-data if they may go"
            if production:
                advice = "in production that is refused: go forward with a new migration, or restore a backup"
            raise MigrationError(f"back to version {to} would lose {lost}; {advice} (docs/migrations.md)") from error
        return () if careful else tuple(Loss(row["what"], row["how_many"]) for row in told)

    async def _made_rows(self, version: int) -> migration_loss.Made:
        try:
            async with self.scratch(version) as scratch:
                return await migration_loss.made_rows(scratch)
        except MigrationError:
            return {}  # the file of what is undone was edited and does not run: then every row counts

    async def _dry_run(
        self, db: Database, undone: list[Migration], way_back: list[Statement]
    ) -> migration_loss.Columns:
        """The tables and columns that would be left. Runs the whole way back and lets a guard throw it away."""
        if len(way_back) >= STATEMENTS_MAX:
            raise MigrationError(_TOO_MUCH)
        try:
            await db.batch([*way_back, migration_loss.STOP_WITH_COLUMNS()])
        except Refused as error:
            if error.code == "dry_run":
                return migration_loss.columns_told(error.detail)
            raise MigrationError(_refused(error)) from error
        except (Busy, Unavailable):
            raise
        except DatabaseError as error:
            where = await _culprit(db, way_back[:1], way_back, error)
            raise MigrationError(f"{_ways_back(undone)}{where}: {error}. Nothing was changed") from error
        raise AssertionError("a guard that is never true let a batch through")

    async def status(self, db: Database) -> Status:
        """Every version with its state, and what is wrong with them."""
        return migration_state.status(self.files, await migration_state.read(db))

    async def validate(self, db: Database) -> list[str]:
        """What is wrong with the files, with what was applied, and where the live schema differs; empty if nothing."""
        applied = await migration_state.read(db)
        if problems := self._problems(applied):
            return problems
        live = await drift.schema_of(db)
        if not applied:
            live = {thing: sql for thing, sql in live.items() if thing.name != "migrations"}
        expected = await self.schema_at(applied[-1].version if applied else 0)
        return [f"schema: {one}" for one in drift.differences(live, expected)]

    async def schema_at(self, version: int) -> drift.Schema:
        """The schema that the migrations up to `version` make, read from a scratch file."""
        async with self.scratch(version) as scratch:
            return await drift.schema_of(scratch)

    @asynccontextmanager
    async def scratch(self, version: int) -> AsyncIterator[Database]:
        with tempfile.TemporaryDirectory(prefix="tallystick-") as folder:
            scratch = await connect(f"sqlite:///{folder}/scratch.db", timeout_ms=TIMEOUT_MS)
            try:
                await self.up(scratch, to=version)
                yield scratch
            finally:
                await scratch.close()

    async def reset(self, url: str, production: bool = False) -> Report:
        """Throw away everything in the database, then go up: for development only. Raises MigrationError."""
        if production:
            raise MigrationError(f"reset throws every row of {url} away: refused in production")
        self._refuse(self._problems([]))
        db = await connect(url, timeout_ms=TIMEOUT_MS)
        try:
            await db.batch(await drop_all(db))
            return await self.up(db)
        finally:
            await db.close()

    def _problems(self, applied: Sequence[Applied], undoing: int | None = None) -> list[str]:
        return migration_state.problems(self.files, applied, undoing)

    @staticmethod
    def _refuse(problems: Sequence[str]) -> None:
        if problems:
            raise MigrationError(*problems)


async def wait(url: str, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait until the database answers and enforces foreign keys; the seconds it took. Raises MigrationError."""
    began = time.monotonic()
    pause = 0.05
    while True:
        try:
            db = await connect(url)
            try:
                if await db.health():
                    return time.monotonic() - began
                last = "it does not enforce foreign keys"
            finally:
                await db.close()
        except DatabaseError as error:
            last = str(error)
        if time.monotonic() - began + pause > seconds:
            raise MigrationError(f"{url} did not answer within {seconds:g} seconds: {last}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)


async def _culprit(db: Database, before: list[Statement], batch: list[Statement], error: DatabaseError) -> str:
    """Which statement after `before` it was that failed, found by running prefixes that a guard throws away."""
    if isinstance(error, TimedOut):
        return ""
    low, high = len(before), len(batch)
    while low < high:
        middle = (low + high + 1) // 2
        try:
            await db.batch([*batch[:middle], _STOP()])
        except DatabaseError as found:
            if isinstance(found, Refused) and found.code == "dry_run":
                low = middle
            else:
                high = middle - 1
    if low == len(batch):
        return ", at its end"
    return f", statement {low - len(before) + 1} ({' '.join(batch[low].sql.text.split())[:60]})"


async def drop_all(db: Database) -> list[Statement]:
    """Statements that drop every trigger, view and table, children before their parents."""
    objects, references = await db.read(_OBJECTS(), _PARENTS())
    drops = [_DEFER()]
    drops += [_drop("TRIGGER", row["name"]) for row in objects if row["type"] == "trigger"]
    drops += [_drop("VIEW", row["name"]) for row in objects if row["type"] == "view"]
    drops += [_drop("TABLE", row["name"]) for row in objects if row["kind"] == "virtual"]
    tables = {row["name"] for row in objects if row["type"] == "table" and row["kind"] == "table"}
    while tables:
        parents = {row["parent"] for row in references if row["child"] in tables}
        # Tables in a ring of references are left: the deferred check lets them go in any order.
        free = sorted(tables - parents) or sorted(tables)
        drops += [_drop("TABLE", name) for name in free]
        tables -= set(free)
    return drops


def _drop(kind: str, name: str) -> Statement:
    quoted = name.replace('"', '""')
    return unregistered(f'DROP {kind} "{quoted}"')()


def _no_target(direction: str, to: int, version: int, latest: int) -> str:
    low, high = (version, latest) if direction == "up" else (0, version)
    return (
        f"{direction} --to {to}: the database is at version {version}, the newest is {latest}; "
        f"{direction} goes to {low} … {high}"
    )


def _ways_back(undone: list[Migration]) -> str:
    return ", ".join(f"down/{one.file}" for one in undone)


def _refused(error: Refused) -> str:
    if error.code == "version_moved":
        return "another process changed the version meanwhile; nothing was changed. Look at the status, then try again"
    return f"a guard of the way back refused: {error}. Nothing was changed"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

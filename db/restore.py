"""Restore a backup into an empty database of any engine, and prove it before anybody is served from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from db import drift, invariants
from db.backup_file import Digest, Manifest, Reader
from db.backup_tables import BackupError, Insert, Table, pages, refers_to_itself, rings, tables_of
from db.helper import Conflict, Database, SchemaBehind
from db.invariants import Invariant
from db.migrate import Migrations
from db.restore_target import PREFIX, Target
from db.sql import LimitExceeded

BATCH_BYTES: Final = 2_000_000
"""Of rows that one batch inserts."""
RING_BYTES_MAX: Final = 16_000_000
"""Of a table that refers to itself: its rows come in any order, so they go in one batch."""

Tell = Callable[[str, str, int, int], None]
"""Told as it goes: what is done (check, write, prove) with which table, how many rows just were, how many in all."""


class Restored(NamedTuple):
    """What was restored. `violated` are the invariants that do not hold, `unasked` those of later versions."""

    manifest: Manifest
    violated: tuple[Invariant, ...]
    unasked: tuple[Invariant, ...]
    seconds: float


def check(path: Path, tell: Tell) -> Manifest:
    """Read a whole backup: every row is there, as it was written. Raises BackupError."""
    with Reader(path) as reader:
        manifest = reader.manifest
        for table in manifest.tables:
            passed = 0
            for passed, _ in enumerate(reader.rows(table), 1):
                if passed % 1_000 == 0:
                    tell("check", table.name, 1_000, manifest.rows)
            tell("check", table.name, passed % 1_000, manifest.rows)
        return manifest


async def restore(
    db: Database,
    path: Path,
    migrations: Migrations,
    tell: Tell,
    *,
    again: bool = False,
    with_violations: bool = False,
    directory: Path = invariants.DIRECTORY,
) -> Restored:
    """Restore the backup `path` into `db`, which has to be empty. Raises BackupError, DatabaseError.

    Whatever is raised, and wherever the process is killed, `db` then is as before, or serves nobody.
    """
    began = time.perf_counter()
    manifest = check(path, tell)
    version = _version(manifest, migrations)
    async with migrations.scratch(version) as scratch:
        schema, made = await drift.schema_of(scratch), await tables_of(scratch)
        asked, unasked = await _known(scratch, invariants.read(directory))
    tables = _matched(manifest, made)
    target = Target(db, schema, tables)
    with Reader(path) as reader:
        if reader.manifest != manifest:
            raise BackupError(f"{path} was changed while it was read")
        await target.prepare(migrations, manifest.content_sha256, again=again)
        await _write(reader, target, tables, tell)
    await _prove(db, manifest, tables, tell)
    violated = await target.violated(asked)
    if violated and not with_violations:
        told = "\n".join(f"{one.name} does not hold: {one.sentence}" for one in violated)
        raise BackupError(
            f"{told}\nEvery row is as in the backup, so the shop was like this; nobody is served from it. To restore "
            "it all the same: --again --with-violations, then look with `tally check`"
        )
    await target.open()
    if problems := await migrations.validate(db):
        raise BackupError("\n".join(problems))
    return Restored(manifest, tuple(violated), tuple(unasked), time.perf_counter() - began)


def _version(manifest: Manifest, migrations: Migrations) -> int:
    """The version of the schema that the file has. Raises BackupError if this release does not know it."""
    for place, told in enumerate(manifest.migrations, 1):
        known = migrations.files.migrations.get(told.version)
        if known is None or (known.version, known.name, known.checksum) != (place, told.name, told.checksum):
            raise BackupError(
                f"the backup is of schema version {manifest.schema_version}, and its migration {told.version} "
                f"({told.name}) is none of this release, or another one: use the release that made it "
                f"({manifest.release}) or a newer one"
            )
    if not manifest.migrations or manifest.schema_version != len(manifest.migrations):
        raise BackupError("the backup was edited: its versions do not follow each other")
    return manifest.schema_version


def _matched(manifest: Manifest, made: dict[str, Table]) -> list[Table]:
    """The tables in the order of the file. Raises BackupError unless they are those that the migrations make."""
    told = {table.name: tuple(table.columns) for table in manifest.tables}
    if told != {name: table.columns for name, table in made.items()}:
        raise BackupError(
            f"the backup was edited: its tables are not those of schema version {manifest.schema_version}"
        )
    return [made[table.name] for table in manifest.tables]


async def _known(scratch: Database, every: Sequence[Invariant]) -> tuple[list[Invariant], list[Invariant]]:
    """The invariants that the schema of `scratch` knows, and the others."""
    asked, unasked = [], []
    for one in every:
        try:
            await scratch.read(one.sql())
            asked.append(one)
        except SchemaBehind:
            unasked.append(one)
    return asked, unasked


async def _write(reader: Reader, target: Target, tables: Sequence[Table], tell: Tell) -> None:
    told = {table.name: table for table in reader.manifest.tables}
    for ring in rings(tables):
        batch = _Batch(target, whole=refers_to_itself(ring))
        for table in ring:
            insert = Insert(table, PREFIX + table.name)
            for text in reader.rows(told[table.name]):
                if batch.is_full:
                    tell("write", table.name, await batch.send(), reader.manifest.rows)
                batch.add(insert, text)
        tell("write", ring[-1].name, await batch.send(), reader.manifest.rows)


class _Batch:
    """Rows that go together. `whole`: all of a ring, because any may come before the one that it refers to."""

    def __init__(self, target: Target, *, whole: bool) -> None:
        self._target, self._whole = target, whole
        self._waiting: dict[Insert, list[str]] = {}
        self._size = self._rows = 0

    @property
    def is_full(self) -> bool:
        return self._size >= BATCH_BYTES and not self._whole

    def add(self, insert: Insert, text: str) -> None:
        self._waiting.setdefault(insert, []).append(text)
        self._size += len(text)
        self._rows += 1
        if self._size > RING_BYTES_MAX:
            raise BackupError(
                f"the rows of {insert.table} refer to one another, and {RING_BYTES_MAX} bytes of them do not go into "
                "one batch"
            )

    async def send(self) -> int:
        """Send what waits; how many rows that was."""
        waiting, rows = self._waiting, self._rows
        self._waiting, self._size, self._rows = {}, 0, 0
        if rows:
            try:
                statements = [one for insert, texts in waiting.items() for one in insert.statements(texts)]
            except LimitExceeded as error:
                raise BackupError(
                    f"a row of {next(iter(waiting)).table} is more than an engine takes: {error}"
                ) from error
            try:
                await self._target.put(statements)
            except Conflict as error:
                among = " or ".join(insert.table.removeprefix(PREFIX) for insert in waiting)
                raise BackupError(
                    f"a row of {among} is refused ({error}): the backup is not of one moment, or was edited; nobody "
                    "is served from what was restored of it"
                ) from error
        return rows


async def _prove(db: Database, manifest: Manifest, tables: Sequence[Table], tell: Tell) -> None:
    """Every row, read back, is what the file has. Raises BackupError."""
    for told, table in zip(manifest.tables, tables, strict=True):
        digest = Digest()
        async for lines in pages(db, table._replace(name=PREFIX + table.name)):
            digest.add([line.text for line in lines])
            tell("prove", told.name, len(lines), manifest.rows)
        found = digest.told(told.name, told.columns)
        if found != told:
            raise BackupError(
                f"{told.name} was not restored as it is in the backup: {found.rows} rows with SHA-256 "
                f"{found.sha256[:12]}…, in the backup {told.rows} and {told.sha256[:12]}…; nobody is served from it"
            )

"""A backup: every row of one moment of a shop, exactly, in one file that any engine's shop can be restored from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from db import migration_state
from db.backup_file import Manifest, MigrationTold, Writer
from db.backup_spool import Spool
from db.backup_tables import BackupError, Table, counting, differences, pages, rings, tables_of
from db.backup_watch import OURS, watched
from db.engines.sqlite_snapshot import SqliteSnapshot
from db.helper import Database
from db.migrate import Migrations
from db.sql import unregistered

_NOW: Final = unregistered("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS now")

Tell = Callable[[str, int, int], None]
"""Told as it goes: a table, how many rows of it just were read, and how many there are in all."""


class Snapshot(Protocol):
    """All rows of one moment."""

    taken_at: str

    def lines(self, table: Table) -> AsyncIterator[Sequence[str]]: ...


class _Open:
    """A snapshot that stays open: its rows are read as they are written."""

    def __init__(self, db: Database, taken_at: str) -> None:
        self._db, self.taken_at = db, taken_at

    async def lines(self, table: Table) -> AsyncIterator[Sequence[str]]:
        async for some in pages(self._db, table):
            yield [line.text for line in some]


class _Shop(NamedTuple):
    """What is backed up: the tables, parents first, how many rows they have, and the versions of the schema."""

    tables: list[Table]
    rows: int
    migrations: list[MigrationTold]


async def back_up_file(path: Path, file: IO[bytes], migrations: Migrations, release: str, tell: Tell) -> Manifest:
    """Back up the SQLite file `path` into `file`, changing nothing of it. Raises BackupError, DatabaseError."""
    db = SqliteSnapshot(path)
    try:
        shop = await _look(db, migrations)
        ((row,),) = await db.read(_NOW())
        return await _write(_Open(db, row["now"]), shop, file, db.engine, release, tell)
    finally:
        await db.close()


async def back_up(db: Database, file: IO[bytes], migrations: Migrations, release: str, tell: Tell) -> Manifest:
    """Back up a live database of any engine into `file`. Raises BackupError, DatabaseError.

    Triggers and two small tables (`backup_…`) are made in it and dropped again: see db/backup_watch.py. The rows stand
    in a second file beside `file` until all of them are known.
    """
    shop = await _look(db, migrations)
    with closing(Spool(shop.tables, Path(file.name).parent)) as spool:
        async with watched(db, shop.tables, len(shop.migrations), spool) as watch:
            async for table, rows in watch.read_all():
                tell(table, rows, shop.rows)
            await watch.settle()
        return await _write(watch, shop, file, db.engine, release, lambda *_: None)


async def _write(snapshot: Snapshot, shop: _Shop, file: IO[bytes], engine: str, release: str, tell: Tell) -> Manifest:
    with Writer(file) as writer:
        for table in shop.tables:
            with writer.table(table.name, table.columns) as put:
                async for texts in snapshot.lines(table):
                    put(texts)
                    tell(table.name, len(texts), shop.rows)
        return writer.finish(
            release=release,
            engine=engine,
            taken_at=snapshot.taken_at,
            schema_version=len(shop.migrations),
            migrations=shop.migrations,
        )


async def _look(db: Database, migrations: Migrations) -> _Shop:
    """Raises BackupError for a schema that no restore could make again."""
    applied = await migration_state.read(db)
    if problems := migration_state.problems(migrations.files, applied):
        raise BackupError("\n".join(problems))
    if not applied:
        raise BackupError("the database holds no shop: it was never migrated")
    live = {name: table for name, table in (await tables_of(db)).items() if not name.startswith(OURS)}
    async with migrations.scratch(applied[-1].version) as scratch:
        made = await tables_of(scratch)
    if found := differences(live, made):
        raise BackupError("\n".join(found))
    tables = [table for ring in rings(list(made.values())) for table in ring]
    counts = await db.read(*(counting(table)() for table in tables))
    told = [MigrationTold(version=one.version, name=one.name, checksum=one.checksum) for one in applied]
    return _Shop(tables, sum(rows[0]["how_many"] for rows in counts), told)

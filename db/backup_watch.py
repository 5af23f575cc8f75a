"""One snapshot of a database that sells meanwhile and knows no long transaction: libSQL over HTTP, D1, any of them.

Triggers note the key of every row that changes while the pages are read, in the transaction that changes it. Then the
changed rows are read again, until one read (one snapshot) has every change since the one before it: what was read is
then, row for row, the shop of that moment. Nothing is guessed from times or checksums, nobody waits, and a busy shop
only makes the last part longer. The triggers hold as long as a lease that is renewed; after it they do nothing, so that
a backup that was killed costs a shop nothing but some idle triggers, which the next one replaces (docs/adr/0011).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from db import drift
from db.backup_spool import Spool
from db.backup_tables import BackupError, Table, counting, grows, pages, quoted, selected
from db.helper import Database, DatabaseError, Refused, Row, SchemaBehind
from db.migration_state import IS_AT
from db.sql import Sql, Statement, guard, unregistered
from db.sure import surely

LEASE_MINUTES: Final = 10
RENEWAL_SECONDS: Final = 60.0
CHANGES_A_READ: Final = 1_000
CATCH_UP_SECONDS_MAX: Final = 600.0
"""A shop that changes faster than it can be read for so long has no backup this way."""
OURS: Final = "backup_"
"""How the names of what a watch makes begin; no table of a shop does."""

Counts = Sequence[tuple[Table, int]]

_TIME: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_END: Final = f"strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{LEASE_MINUTES} minutes')"
_LEASE: Final = unregistered("CREATE TABLE IF NOT EXISTS backup_lease (id TEXT NOT NULL, until TEXT NOT NULL) STRICT")
_FREE: Final = unregistered(
    guard(
        f"NOT EXISTS (SELECT 1 FROM backup_lease WHERE until > {_TIME})",
        "backup_running",
        "(SELECT until FROM backup_lease)",
    )
)
_CHANGES: Final = unregistered(
    "CREATE TABLE backup_changes (id INTEGER PRIMARY KEY, in_table TEXT NOT NULL, of_key TEXT NOT NULL) STRICT"
)
_TAKE: Final = unregistered(f"INSERT INTO backup_lease (id, until) VALUES (:id, {_END})")
_RENEW: Final = unregistered(f"UPDATE backup_lease SET until = {_END} WHERE id = :id AND until > {_TIME} RETURNING id")
_HOLDER: Final = unregistered("SELECT id FROM backup_lease")
_MINE: Final = unregistered(guard("(SELECT id FROM backup_lease) = :id", "backup_ended"))
_STATE: Final = unregistered(
    f"SELECT {_TIME} AS now, (SELECT count(*) FROM backup_lease WHERE id = :id AND until > {_TIME}) AS held, "
    "(SELECT coalesce(max(id), 0) FROM backup_changes) AS last"
)
_FORGET: Final = tuple(
    unregistered(f"DROP TABLE IF EXISTS {name}") for name in ("backup_changes", "backup_lease")
)  # the triggers first: what they write to must be there as long as they are
_EVENTS: Final = (("insert", "NEW"), ("update", "OLD", "NEW"), ("delete", "OLD"))


class Watched:
    """A database under watch. `read_all`, then `settle`; then `lines` are of one snapshot, taken at `taken_at`."""

    taken_at: str

    def __init__(self, db: Database, tables: Sequence[Table], version: int, spool: Spool) -> None:
        self._db, self._tables, self._version, self._spool = db, tables, version, spool
        self._id = secrets.token_hex(8)
        self._renewed_at = 0.0
        self._seen = 0
        self._schema: list[Row] = []

    async def begin(self) -> None:
        """Take the lease, and put the triggers up. Raises BackupError if another backup runs."""
        drops = [unregistered(f"DROP TRIGGER IF EXISTS {name}")() for name, _ in self._triggers()]
        batch = [_LEASE(), _FREE(), IS_AT(version=self._version), *drops, _FORGET[0](), _CHANGES()]
        batch += [unregistered("DELETE FROM backup_lease")(), _TAKE(id=self._id)]
        batch += [unregistered(text)() for _, text in self._triggers()]
        try:
            await surely(self._db, batch, self._is_mine)
        except Refused as error:
            if error.code == "backup_running":
                raise BackupError(
                    f"another backup of this database runs (its lease ends at {error.detail}): wait for it, or for "
                    "the end of its lease if it was killed"
                ) from error
            if error.code == "version_moved":
                raise BackupError("a migration runs at the same time: try again after it") from error
            raise
        (self._schema,) = await self._db.read(drift.OBJECTS())
        if not set(dict(self._triggers())) <= {row["name"] for row in self._schema}:
            raise BackupError(_CHANGED)
        self._renewed_at = time.monotonic()

    async def end(self) -> None:
        """Take everything down again, unless it belongs to somebody else by now."""
        drops = [unregistered(f"DROP TRIGGER IF EXISTS {name}")() for name, _ in self._triggers()]
        with suppress(Refused, SchemaBehind):
            await surely(self._db, [_MINE(id=self._id), *drops, *(one() for one in _FORGET)], self._is_gone)

    async def read_all(self) -> AsyncIterator[tuple[str, int]]:
        """Read every table once; tells the table and the rows of each page.

        Not what comes behind its end meanwhile: that is noted anyway, and nobody has to run after it.
        """
        found = await self._db.read(*(_highest(table)() for table in self._tables))
        for table, rows in zip(self._tables, found, strict=True):
            last: str | None = rows[0]["last"]
            if last is None and grows(table):
                continue
            async for lines in pages(self._db, table, int(last) if last else None):
                self._spool.put(table, lines)
                yield table.name, len(lines)
                await self._renew()

    async def settle(self) -> None:
        """Read what changed, until one snapshot has it all. Raises BackupError if that cannot be said for certain."""
        deadline = time.monotonic() + CATCH_UP_SECONDS_MAX
        most, counted = CHANGES_A_READ, False
        while time.monotonic() < deadline:
            await self._renew()
            try:
                state, schema, counts, changed = await self._changes(most, counted)
            except DatabaseError as error:
                if type(error) is not DatabaseError or most == 1:
                    raise
                most //= 2  # the answer was too long for the engine
                continue
            for table, rows in zip(self._tables, changed, strict=True):
                self._spool.change(table, rows)
            whole = state["last"] <= self._seen + most
            self._seen = state["last"] if whole else self._seen + most
            if whole and counted:
                self._refuse_doubt(state, schema, counts)
                self.taken_at = state["now"]
                return
            counted = whole
        raise BackupError(
            f"the shop changes faster than it can be read: after {CATCH_UP_SECONDS_MAX:.0f} s there was still no "
            "snapshot, and no file was written. Try at a quieter hour, or use the engine's own point-in-time recovery"
        )

    async def lines(self, table: Table) -> AsyncIterator[Sequence[str]]:
        """The rows of the snapshot, some at a time."""
        for texts in self._spool.texts(table):
            yield texts

    async def _changes(self, most: int, counted: bool) -> tuple[Row, list[Row], Counts, list[list[Row]]]:
        asked: list[Statement] = [_STATE(id=self._id), drift.OBJECTS()]
        asked += [_changed(table)(seen=self._seen, upto=self._seen + most) for table in self._tables]
        asked += [counting(table)() for table in self._tables if counted]
        found = await self._db.read(*asked)
        last = 2 + len(self._tables)
        counts = [(one, rows[0]["how_many"]) for one, rows in zip(self._tables, found[last:], strict=False)]
        return found[0][0], found[1], counts, found[2:last]

    def _refuse_doubt(self, state: Row, schema: list[Row], counts: Counts) -> None:
        if not state["held"]:
            raise BackupError(_LAPSED)
        if schema != self._schema:
            raise BackupError(_CHANGED)
        for table, count in counts:
            if (read := self._spool.count(table)) != count:
                raise BackupError(
                    f"{table.name} has {count} rows and {read} were read: something wrote past the triggers (INSERT OR "
                    "REPLACE does), so no file was written. Try again"
                )

    async def _renew(self) -> None:
        if time.monotonic() - self._renewed_at < RENEWAL_SECONDS:
            return
        try:
            renewed = await surely(self._db, [_RENEW(id=self._id)], self._is_mine)
        except SchemaBehind:
            renewed = None
        if not renewed or not renewed[0]:
            raise BackupError(_LAPSED)
        self._renewed_at = time.monotonic()

    async def _is_mine(self) -> bool:
        (rows,) = await self._db.read(_HOLDER())
        return [row["id"] for row in rows] == [self._id]

    async def _is_gone(self) -> bool:
        try:
            return not await self._is_mine()
        except SchemaBehind:
            return True

    def _triggers(self) -> Iterator[tuple[str, str]]:
        for table in self._tables:
            for event, *rows in _EVENTS:
                name = f'"{OURS}{table.name}_{event}"'
                noted = " ".join(
                    f"INSERT INTO backup_changes (in_table, of_key) VALUES ('{table.name}', json_array({keys}));"
                    for row in rows
                    for keys in [", ".join(f"{row}.{quoted(column)}" for column in table.key)]
                )
                text = (
                    f"CREATE TRIGGER {name} AFTER {event.upper()} ON {quoted(table.name)} "
                    f"WHEN (SELECT until FROM backup_lease) > {_TIME} BEGIN {noted} END"
                )
                yield name.strip('"'), text


_LAPSED: Final = (
    "the backup's lease ran out, because the database or this process stood still for minutes: what changed meanwhile "
    "is not known, so no file was written. Try again"
)
_CHANGED: Final = "the schema changed while the backup ran (a migration?): no file was written. Try again"


@asynccontextmanager
async def watched(db: Database, tables: Sequence[Table], version: int, spool: Spool) -> AsyncIterator[Watched]:
    """`db` under watch, and taken off it whatever happens; the rows stand in `spool`. Raises BackupError."""
    watch = Watched(db, tables, version, spool)
    try:
        await watch.begin()
        yield watch
    except BaseException:
        with suppress(DatabaseError):  # the first error says more, and the triggers end with their lease
            await watch.end()
        raise
    await watch.end()


def _highest(table: Table) -> Sql:
    if not grows(table):
        return unregistered("SELECT NULL AS last")
    return unregistered(f"SELECT CAST(max({quoted(table.key[0])}) AS TEXT) AS last FROM {quoted(table.name)}")


def _changed(table: Table) -> Sql:
    """The rows whose keys were noted after `seen`, as they are now; `line0` is NULL for one that is gone."""
    matched = " AND ".join(f"t.{quoted(column)} = c.of_key ->> '$[{place}]'" for place, column in enumerate(table.key))
    first = f"t.{quoted(table.key[0])}"
    return unregistered(f"""
        SELECT {selected(table, "t")}, {first} IS NULL AS gone, c.of_key AS of_key FROM (
          SELECT DISTINCT of_key FROM backup_changes
          WHERE id > :seen AND id <= :upto AND in_table = '{table.name}') AS c
        LEFT JOIN {quoted(table.name)} AS t ON {matched}""")

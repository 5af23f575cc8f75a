"""An empty database on its way to be a shop: nobody is served from it before everything in it was proved.

The tables are made under names of their own, `restoring_…`, and get their real ones in the last batch, together with
the views, the triggers and the full-text indexes. Until then no table exists that an endpoint could read or write, so
every endpoint answers 503, also when the restore was killed. Triggers that come last refuse nothing and write nothing
twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from db import drift, migration_loss, migration_state
from db.backup_tables import BackupError, Table, quoted, tables_of
from db.backup_watch import OURS
from db.drift import Schema
from db.helper import Database, Refused, SchemaBehind
from db.invariants import Invariant
from db.migrate import Migrations, drop_all
from db.migration_loss import Made
from db.migration_state import RESTORING
from db.sql import Statement, Value, guard, unregistered
from db.sure import surely

PREFIX: Final = "restoring_"

_STATE: Final = unregistered(f"""
    CREATE TABLE {RESTORING} (
      id         TEXT NOT NULL,
      step       INTEGER NOT NULL,
      content    TEXT NOT NULL,
      started_at TEXT NOT NULL
    ) STRICT
""")
_BEGIN: Final = unregistered(
    f"INSERT INTO {RESTORING} VALUES (:id, 0, :content, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
)
_WHERE: Final = unregistered(f"SELECT id, step FROM {RESTORING}")
_IS_AT: Final = unregistered(guard(f"(SELECT id || ' ' || step FROM {RESTORING}) = :place", "restore_moved"))
_STEP: Final = unregistered(f"UPDATE {RESTORING} SET step = step + 1")
_DONE: Final = unregistered(f"DROP TABLE {RESTORING}")
_DEFER: Final = unregistered("PRAGMA defer_foreign_keys = ON")
_STOP: Final = unregistered(guard("0", "dry_run"))
_TABLES: Final = unregistered(f"""
    SELECT name FROM pragma_table_list
    WHERE type = 'table' AND schema = 'main' AND {drift.ours("name")} ORDER BY name
""")
_STILL: Final = unregistered(
    guard(
        f"(SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND {drift.ours('name')}) "
        "= :count",
        "restore_moved",
    )
)
_TAKEN: Final = "another restore, or another program, changed the database meanwhile: this one stopped"


class Target:
    """The database `db`, to become a shop with `tables`, whose schema is `schema`. Every method raises BackupError."""

    def __init__(self, db: Database, schema: Schema, tables: Sequence[Table]) -> None:
        self._db, self._id, self._step = db, secrets.token_hex(8), 0
        made = {thing: sql for thing, sql in schema.items() if thing.kind == "table"}
        virtual = {thing: sql for thing, sql in made.items() if drift.normal(sql).startswith("create virtual")}
        self._creates = [unregistered(sql)() for thing, sql in made.items() if thing not in virtual]
        self._creates += [unregistered(sql)() for thing, sql in schema.items() if thing.kind == "index"]
        self._creates += [_rename(table.name, PREFIX + table.name) for table in tables]
        self._names = {table.name: _rename(PREFIX + table.name, table.name) for table in tables}
        self._names |= {thing.name: unregistered(sql)() for thing, sql in schema.items() if thing.kind == "view"}
        self._rest = [unregistered(sql)() for sql in virtual.values()]
        self._rest += [_rebuild(thing.name) for thing in virtual]
        self._rest += [unregistered(sql)() for thing, sql in schema.items() if thing.kind == "trigger"]

    async def prepare(self, migrations: Migrations, content: str, *, again: bool) -> None:
        """Make the tables, if there is no row yet; with `again`, throw away what a restore left that did not finish."""
        (rows,) = await self._db.read(_TABLES())
        names = {row["name"] for row in rows}
        guards = [_STILL(count=len(names))]
        if RESTORING in names:
            if not again:
                raise BackupError(
                    "a restore into this database has not finished; nobody is served from it. If none runs any more, "
                    "run it again with --again, which throws away what it left"
                )
            if strangers := [name for name in sorted(names) if not name.startswith(PREFIX)]:
                raise BackupError(f"beside what a restore left there are other tables: {', '.join(strangers)}")
        elif names:
            guards += await self._empty(migrations, names)
        batch = [*guards, *await drop_all(self._db), *self._creates, _STATE(), _BEGIN(id=self._id, content=content)]
        try:
            await surely(self._db, batch, self._is_here)
        except Refused as error:
            raise BackupError(_TAKEN if error.code == "restore_moved" else _not_empty(error.detail)) from error

    async def put(self, statements: Sequence[Statement]) -> None:
        """Insert rows, all of them once."""
        batch = [_DEFER(), self._guard(), *statements, _STEP()]
        self._step += 1
        try:
            await surely(self._db, batch, self._is_here)
        except (Refused, SchemaBehind) as error:
            raise BackupError(_TAKEN) from error

    async def violated(self, invariants: Sequence[Invariant]) -> list[Invariant]:
        """Those that do not hold, each asked under the real names, in a batch that a guard throws away."""
        found = []
        for one in invariants:
            ask = unregistered(guard(f"NOT EXISTS ({one.sql.text})", "invariant_violated"))
            # Only the names that it mentions (`live_orders` mentions orders, too): a rename reads the whole schema.
            names = [statement for name, statement in self._names.items() if name in one.sql.text]
            try:
                await surely(self._db, [self._guard(), *names, ask(), _STOP()], self._is_here)
            except Refused as error:
                if error.code == "restore_moved":
                    raise BackupError(_TAKEN) from error
                if error.code == "invariant_violated":
                    found.append(one)
        return found

    async def open(self) -> None:
        """Give the tables their names, and all that goes with them: from here on the shop is served."""
        batch = [self._guard(), *self._names.values(), *self._rest, _DONE()]
        try:
            await surely(self._db, batch, self._is_open)
        except (Refused, SchemaBehind) as error:
            raise BackupError(_TAKEN) from error

    def _guard(self) -> Statement:
        return _IS_AT(place=f"{self._id} {self._step}")

    async def _is_here(self) -> bool:
        (rows,) = await self._db.read(_WHERE())
        return [(row["id"], row["step"]) for row in rows] == [(self._id, self._step)]

    async def _is_open(self) -> bool:
        (rows,) = await self._db.read(_TABLES())
        names = {row["name"] for row in rows}
        return "migrations" in names and RESTORING not in names

    async def _empty(self, migrations: Migrations, names: set[str]) -> list[Statement]:
        """Guards that hold as long as nothing is there but what migrations made."""
        applied = await migration_state.read(self._db) if "migrations" in names else []
        version = applied[-1].version if applied else 0
        if problems := migration_state.problems(migrations.files, applied):
            raise BackupError("\n".join(problems))
        async with migrations.scratch(version) as scratch:
            tables, made = await tables_of(scratch), await migration_loss.made_rows(scratch)
        left_by_a_backup = {name for name in names if name.startswith(OURS)}
        if strangers := sorted(names - tables.keys() - left_by_a_backup - {"migrations"}):
            raise BackupError(f"the database is another program's, it holds {', '.join(strangers)}: name an empty one")
        own = [_own_rows(table, made) for table in tables.values() if table.name != "migrations"]
        if not own:
            return []
        found = await self._db.read(*(unregistered(text)(**values) for text, values in own))
        if full := [f"{row['how_many']} {row['in_table']}" for (row,) in found if row["how_many"]]:
            raise BackupError(_not_empty(", ".join(full)))
        return [
            unregistered(guard(f"(SELECT how_many FROM ({text})) = 0", "not_empty", "'new rows'"))(**values)
            for text, values in own
        ]


def _rename(old: str, new: str) -> Statement:
    return unregistered(f"ALTER TABLE {quoted(old)} RENAME TO {quoted(new)}")()


def _rebuild(index: str) -> Statement:
    return unregistered(f"INSERT INTO {quoted(index)} ({quoted(index)}) VALUES ('rebuild')")()


def _own_rows(table: Table, made: Made) -> tuple[str, dict[str, Value]]:
    """SQL that counts the rows of a table that the migrations did not make, and its values."""
    columns, rows = made.get(table.name, (frozenset[str](), ""))
    text = f"SELECT '{table.name}' AS in_table, count(*) AS how_many FROM {quoted(table.name)}"
    if not columns:
        return text, {}
    return f"{text} WHERE {migration_loss.whole(columns)} NOT IN (SELECT value FROM json_each(:made))", {"made": rows}


def _not_empty(what: str) -> str:
    return (
        f"the database is not empty, it holds {what}: a restore needs an empty one, and throws no shop away. Nothing "
        "was changed"
    )

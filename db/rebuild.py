"""The recipe for a change that ALTER TABLE cannot make: the table made anew, with its rows, under its own name.

The rows stand aside meanwhile, all in the migration's one batch. References to the table are checked at COMMIT, because
`defer_foreign_keys` puts them off; they find the same rows again. Renaming a new table into place would not do: the
references that DROP TABLE broke are mended only by rows that come in. The same on a file, on libSQL and on D1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from db import drift
from db.backup_tables import Table, tables_of
from db.drift import Schema
from db.migrate import Migrations
from db.migration_files import MigrationError, create

_FORWARD: Final = """\
-- Edit CREATE TABLE; where a column is new, gone or has another name, also the two lists of INSERT, and below.
"""
_BACK: Final = """\
-- The table as it was. What has become of its columns goes into the two lists of INSERT.
"""
_OF_TABLE: Final = re.compile(r"create (?:unique )?index \w+ on (\w+)|create trigger .*? on (\w+)", re.S)


async def write(migrations: Migrations, directory: Path, table: str, what: str) -> tuple[Path, Path]:
    """Two new files, forward and back, that rebuild `table` as the newest version has it. Raises MigrationError."""
    if problems := [*migrations.files.problems, *migrations.files.gaps.values()]:
        raise MigrationError(*problems)
    async with migrations.scratch(migrations.latest) as scratch:
        schema, tables = await drift.schema_of(scratch), await tables_of(scratch)
    if table not in tables:
        raise MigrationError(f"there is no table {table}; there are {', '.join(tables)}")
    text = ";\n".join(statements(schema, tables[table])) + ";\n"
    return create(directory, what, _FORWARD + text, _BACK + text)


def statements(schema: Schema, table: Table) -> list[str]:
    """What rebuilds `table`, with its rows, indexes and triggers. Views, and triggers elsewhere, stay as they are."""
    name, aside = table.name, f"{table.name}_aside"
    columns = ", ".join(table.columns)
    stored = [thing for thing in schema if thing.kind == "table" and thing.name == name]
    # The rowid is the order of writing, which an invariant depends on; an integer key is the rowid itself.
    kept, brought = ("aside_rowid, ", "rowid, ") if table.key == ("rowid",) else ("", "")
    order = "aside_rowid" if kept else ", ".join(table.key)
    counts = f"(SELECT count(*) FROM {name}) = (SELECT count(*) FROM {aside})"
    return [
        "PRAGMA defer_foreign_keys = ON",
        f"CREATE TABLE {aside} AS SELECT {'rowid AS ' if kept else ''}{kept}{columns} FROM {name}",
        f"DROP TABLE {name}",
        *(schema[thing] for thing in stored),
        f"INSERT INTO {name} ({brought}{columns})\nSELECT {kept}{columns} FROM {aside} ORDER BY {order}",
        f"SELECT CASE WHEN {counts}\nTHEN NULL ELSE json_extract('{{}}', 'guard:rows_lost:{name}') END",
        f"DROP TABLE {aside}",
        *(schema[thing] for thing in sorted(schema) if _table_of(schema[thing]) == name),
    ]


def _table_of(sql: str) -> str | None:
    """The table of an index or a trigger."""
    found = _OF_TABLE.match(drift.normal(sql))
    return found[1] or found[2] if found else None

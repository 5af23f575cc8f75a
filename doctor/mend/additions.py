"""Indexes, times, and triggers that keep a number from falling below zero: the small additions to a table."""

from __future__ import annotations

from typing import Final, NamedTuple

from db.backup_tables import quoted
from doctor.checks.shop import LOOKUPS, Lookup, lookup_columns
from doctor.examine import Examined
from doctor.finding import Finding
from doctor.mend.names import Names, literal
from doctor.schema import Table

COLUMNS_MAX: Final = 98
"""D1 takes 100 columns a table."""
NOW: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


class Mend(NamedTuple):
    """Statements forward and back, and a note for the reader."""

    up: list[str]
    down: list[str]
    note: str = ""


def reference_index(one: Finding, names: Names, examined: Examined) -> Mend | str:
    """An index that begins with the reference's columns; the one of document 004 where it names it."""
    reference = one.data["reference"]
    table = examined.case.schema.tables[reference.table]
    for lookup in LOOKUPS:
        columns = lookup_columns(lookup, table) if lookup.table == table.name.lower() else None
        if columns and tuple(columns) == reference.columns:
            return _index(names.free(lookup.name), table.name, columns)
    return _index(names.free("idx", table.name, *reference.columns), table.name, list(reference.columns))


def lookup_index(one: Finding, names: Names, examined: Examined) -> Mend | str:
    lookup: Lookup = one.data["lookup"]
    table = next(table for table in examined.case.schema.tables.values() if table.name.lower() == lookup.table)
    return _index(names.free(lookup.name), table.name, lookup_columns(lookup, table) or [])


def _index(name: str, table: str, columns: list[str]) -> Mend:
    made = f"CREATE INDEX {quoted(name)} ON {quoted(table)} ({', '.join(quoted(one) for one in columns)})"
    return Mend([made], [f"DROP INDEX {quoted(name)}"])


def timestamps(one: Finding, names: Names, examined: Examined) -> Mend | str:
    """The columns that lack, and triggers that fill them; the rows that exist keep NULL: nobody knows their time."""
    table, lacking = examined.case.schema.tables[one.place], list(one.data["lacking"])
    if examined.case.broken_views:
        return "ALTER TABLE may refuse while a view is broken; mend the view, then write the migration again."
    if len(table.columns) > COLUMNS_MAX:
        return f"it has {len(table.columns)} columns, and D1 takes 100."
    if any(table.column(name) for name in lacking):
        return f"it has a column {' or '.join(lacking)} already, for something else."
    mine = where_this_row(table)
    if mine is None:
        return "its rows have no key by which a trigger could find them."
    name = quoted(table.name)
    up = [f"ALTER TABLE {name} ADD COLUMN {quoted(column)} TEXT" for column in lacking]
    down = [f"ALTER TABLE {name} DROP COLUMN {quoted(column)}" for column in reversed(lacking)]
    inserted = names.free(table.name, "times_on_insert")
    sets = ", ".join(f"{quoted(column)} = coalesce(NEW.{quoted(column)}, {NOW})" for column in lacking)
    up.append(
        f"CREATE TRIGGER {quoted(inserted)} AFTER INSERT ON {name} BEGIN\n  UPDATE {name} SET {sets} WHERE {mine};\nEND"
    )
    down.insert(0, f"DROP TRIGGER {quoted(inserted)}")
    if "updated_at" in lacking:
        updated = names.free(table.name, "times_on_update")
        columns = ", ".join(quoted(column.name) for column in table.columns if not column.hidden)
        up.append(
            f"CREATE TRIGGER {quoted(updated)} AFTER UPDATE OF {columns} ON {name} BEGIN\n"
            f'  UPDATE {name} SET "updated_at" = {NOW} WHERE {mine};\nEND'
        )
        down.insert(0, f"DROP TRIGGER {quoted(updated)}")
    note = "An INSERT that names no columns has to name them now."
    return Mend(up, down, note)


def where_this_row(table: Table) -> str | None:
    """A condition for the row that a trigger is about."""
    if not table.without_rowid:
        free = next((one for one in ("rowid", "_rowid_", "oid") if table.column(one) is None), None)
        return f"{free} = NEW.{free}" if free else None
    return " AND ".join(f"{quoted(one.name)} = NEW.{quoted(one.name)}" for one in table.key)


def keep_from_falling(one: Finding, names: Names, examined: Examined) -> Mend | str:
    """Triggers that refuse a number below zero. One that is below already may rise, so a person can correct it."""
    table, column = one.data["table"], one.data["column"].name
    name, new, old = quoted(table), f"NEW.{quoted(column)}", f"OLD.{quoted(column)}"
    says = f"BEGIN SELECT RAISE(ABORT, {literal(f'{table}.{column} would fall below zero')}); END"
    inserted = names.free(table, column, "not_negative_on_insert")
    updated = names.free(table, column, "not_negative_on_update")
    number = f"typeof({new}) IN ('integer', 'real') AND {new} < 0"
    up = [
        f"CREATE TRIGGER {quoted(inserted)} BEFORE INSERT ON {name}\nWHEN {number}\n{says}",
        f"CREATE TRIGGER {quoted(updated)} BEFORE UPDATE OF {quoted(column)} ON {name}\n"
        f"WHEN {number} AND NOT coalesce({new} >= {old}, 0)\n{says}",
    ]
    return Mend(up, [f"DROP TRIGGER {quoted(updated)}", f"DROP TRIGGER {quoted(inserted)}"])

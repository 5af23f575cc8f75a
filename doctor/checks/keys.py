"""Primary keys, foreign keys without an index, and columns that only look like foreign keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from db.backup_tables import quoted
from doctor.case import Case
from doctor.catalogue import found
from doctor.checks.soundness import place_of, rows
from doctor.finding import Finding
from doctor.rows import Question, column
from doctor.schema import Column, Schema, Table
from doctor.words import words

_NOT_NULL: Final = (("is", "not", "null"), ("not", "null"), ("notnull",))


def questions(schema: Schema) -> Iterator[Question]:
    for table, child, parent in suspects(schema):
        key = parent.key[0].name
        there = f"SELECT 1 FROM {quoted(parent.name)} AS parent WHERE parent.{quoted(key)} = {column(child.name)}"
        yield Question(table.name, f"set {child.name}", f"{column(child.name)} IS NOT NULL")
        yield Question(table.name, f"lost {child.name}", f"{column(child.name)} IS NOT NULL AND NOT EXISTS ({there})")


def findings(case: Case) -> Iterator[Finding]:
    for table in case.schema.tables.values():
        if not table.key:
            yield found("no_primary_key", table.name, f"{rows(case.counts.rows.get(table.name, 0))}.")
        for reference in table.references:
            if not is_indexed(reference.columns, table):
                what = f"It refers to {reference.parent}; {rows(case.counts.rows.get(table.name, 0))} to walk."
                yield found("foreign_key_without_index", place_of(reference), what, reference=reference)
    for table, child, parent in suspects(case.schema):
        values, lost = case.counts.of(table.name, f"set {child.name}"), case.counts.of(table.name, f"lost {child.name}")
        if values and lost == values:
            continue  # it means something else
        of_them = f"; {lost:,} of {values:,} values name none that is there" if lost else ""
        what = f"It seems to mean {parent.name}.{parent.key[0].name}{of_them}."
        yield found("looks_like_foreign_key", f"{table.name}.{child.name}", what)


def is_indexed(columns: tuple[str, ...], table: Table) -> bool:
    """Whether a search for these columns has an index to begin with: one of them is its first.

    A partial index serves if it leaves out no row but those where one of the columns is NULL.
    """
    wanted = {one.lower() for one in columns}
    if table.rowid_name and table.rowid_name.lower() in wanted:
        return True
    if table.without_rowid and table.key[0].name.lower() in wanted:
        return True
    not_null: set[tuple[str, ...]] = {(one, *ends) for one in wanted for ends in _NOT_NULL}
    return any(
        (index.columns[0] or "").lower() in wanted and (index.where is None or index.where in not_null)
        for index in table.indexes
    )


def suspects(schema: Schema) -> Iterator[tuple[Table, Column, Table]]:
    """Columns called like one table and `_id`, that are no foreign key, with that table.

    A trail is left out: its rows outlive what they name.
    """
    by_name: dict[tuple[str, ...], list[Table]] = {}
    for table in schema.tables.values():
        name = words(table.name)
        for start in range(len(name)):
            by_name.setdefault(name[start:], []).append(table)
    for table in schema.tables.values():
        if table.refuses("update") and table.refuses("delete"):
            continue
        declared = {name.lower() for reference in table.references for name in reference.columns}
        for child in table.columns:
            name = words(child.name)
            if len(name) < 2 or name[-1] != "id" or child.name.lower() in declared or child.hidden:
                continue
            if parent := _meant(name[:-1], table, by_name):
                yield table, child, parent


def _meant(name: tuple[str, ...], table: Table, by_name: dict[tuple[str, ...], list[Table]]) -> Table | None:
    """The one table that `name` can mean: called so, or ending so; `parent` is the table itself."""
    if name == ("parent",):
        named = [table]
    else:
        ending = by_name.get(name, [])
        named = [one for one in ending if words(one.name) == name] or ending
    if len(named) != 1 or len(named[0].key) != 1:
        return None
    return named[0] if named[0] is not table or name == ("parent",) else None

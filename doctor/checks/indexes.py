"""Indexes that another one makes needless, and those that no given query uses."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.case import Case
from doctor.catalogue import found
from doctor.checks.keys import is_indexed
from doctor.finding import Finding
from doctor.schema import Index, Table


def findings(case: Case) -> Iterator[Finding]:
    for table in case.schema.tables.values():
        for index in table.indexes:
            if by := needless(index, table):
                what = f"On {table.name} ({_told(index)}); {by} does the same."
                yield found("duplicate_index", index.name, what, index=index)
    if case.queries is None:
        return
    used = {name for query in case.queries for name in query.indexes}
    for table in case.schema.tables.values():
        for index in table.indexes:
            if index.origin == "c" and not index.unique and index.name not in used and not _serves_a_key(index, table):
                yield found("unused_index", index.name, f"On {table.name} ({_told(index)}).")


def needless(index: Index, table: Table) -> str | None:
    """What makes the index needless: another index, or the table's own order. None if nothing does."""
    if index.origin != "c" or None in index.columns:
        return None
    columns = _keys(index)
    rowid = table.rowid_name
    if rowid and index.where is None and columns == (((rowid.lower()), False, "BINARY"),):
        return "the primary key"
    if table.without_rowid and index.where is None and not index.unique:
        key = tuple((one.name.lower(), False, "BINARY") for one in table.key)
        if key[: len(columns)] == columns:
            return "the primary key"
    for other in table.indexes:
        if other.name == index.name or None in other.columns or other.where != index.where:
            continue
        theirs = _keys(other)
        if theirs == columns and (not index.unique or other.unique):
            # Of two that are alike, the one that is not UNIQUE goes; else the later one.
            if other.origin == "c" and other.unique == index.unique and other.name > index.name:
                continue
            return "the primary key" if other.origin == "pk" else other.name
        if not index.unique and len(theirs) > len(columns) and theirs[: len(columns)] == columns:
            return "the primary key" if other.origin == "pk" else other.name
    return None


def _keys(index: Index) -> tuple[tuple[str, bool, str], ...]:
    return tuple(
        ((name or "").lower(), descending, collation)
        for name, (descending, collation) in zip(index.columns, index.order, strict=True)
    )


def _told(index: Index) -> str:
    return ", ".join(name or "an expression" for name in index.columns)


def _serves_a_key(index: Index, table: Table) -> bool:
    """Whether a foreign key would be without an index if this one went."""
    others = [one for one in table.indexes if one is not index]
    without = Table(table.name, table.sql, table.without_rowid, table.strict, table.columns, others)
    return any(
        is_indexed(reference.columns, table) and not is_indexed(reference.columns, without)
        for reference in table.references
    )

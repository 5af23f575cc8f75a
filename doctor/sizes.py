"""How much each table and index holds: rows always, bytes where the engine has the virtual table `dbstat`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from doctor.file import read_only
from doctor.patient import FilePatient, Patient, asked
from doctor.rows import count
from doctor.schema import schema_of

_BYTES = "SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name"


class Line(NamedTuple):
    """A table, or an index of it: then `index_of` names the table. `rows_a_key` is sqlite_stat1's, empty without it."""

    name: str
    index_of: str | None
    columns: list[str]
    rows: int | None
    bytes: int | None
    rows_a_key: str


class Sizes(NamedTuple):
    """`why_no_bytes` says why the bytes are unknown, None if they are known."""

    lines: list[Line]
    why_no_bytes: str | None


async def sizes_of(patient: Patient) -> Sizes:
    """Raises DatabaseError."""
    schema = await schema_of(patient)
    counts = await count(patient, schema, [])
    bytes_ = await _bytes(patient)
    analysed = await asked(patient, "SELECT idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL") or []
    keys = {str(row["idx"]): str(row["stat"]).partition(" ")[2] for row in analysed}
    lines = []
    for table in schema.tables.values():
        columns = [one.name for one in table.columns]
        lines.append(Line(table.name, None, columns, counts.rows.get(table.name), (bytes_ or {}).get(table.name), ""))
        for index in table.indexes:
            if table.without_rowid and index.origin == "pk":
                continue  # it is the table
            names = [one or "an expression" for one in index.columns]
            told = keys.get(index.name, "")
            lines.append(Line(index.name, table.name, names, None, (bytes_ or {}).get(index.name), told))
    why = None
    if bytes_ is None:
        why = "Bytes: this engine has no dbstat" + (
            ", and D1 tells the size of the whole alone (wrangler d1 info)" if patient.engine == "d1" else ""
        )
    return Sizes(lines, why)


async def _bytes(patient: Patient) -> Mapping[str, int] | None:
    """By table and index. The driver of a file may lack dbstat where Python's own SQLite has it."""
    rows = await asked(patient, _BYTES)
    if rows is None and isinstance(patient, FilePatient):
        rows = _by_the_other_sqlite(Path(patient.name))
    return None if rows is None else {str(row["name"]): int(row["bytes"]) for row in rows}


def _by_the_other_sqlite(path: Path) -> list[dict[str, object]] | None:
    with read_only(path, sqlite3) as connection:
        try:
            return [{"name": name, "bytes": bytes_} for name, bytes_ in connection.execute(_BYTES)]
        except sqlite3.Error:
            return None

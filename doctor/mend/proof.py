"""The migration tried on a copy before it is written: rows counted and summed up before, after, and after the way back.

Of a file the copy has every row. Of a server's database it has the schema alone, and says so: take its dump into a
file, and prove it there.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from db import drift
from db.backup_tables import quoted
from db.engines.sqlite import binding
from doctor.examine import Examined, examine
from doctor.finding import Finding
from doctor.mend.migration import Migration
from doctor.patient import FilePatient, Patient, patient_of
from doctor.report import printable
from doctor.rows import column
from doctor.schema import Table


class Sum(NamedTuple):
    """Of the rows of a table, over the columns that it had at first."""

    rows: int
    sha256: str


@dataclass
class Proof:
    """`error` is what stopped it. `remains` are findings that should be mended and are still there."""

    before: dict[str, Sum] = field(default_factory=dict)
    after: dict[str, Sum] = field(default_factory=dict)
    back: dict[str, Sum] = field(default_factory=dict)
    schema: list[str] = field(default_factory=list)
    remains: list[Finding] = field(default_factory=list)
    error: str | None = None
    mended: int = 0
    with_rows: bool = True

    @property
    def holds(self) -> bool:
        equal = self.before == self.after == self.back
        return self.error is None and equal and not self.schema and not self.remains

    def lines(self) -> list[str]:
        if self.error:
            return [self.error]
        of = "a copy with every row" if self.with_rows else "a copy of the schema, without rows: this engine gives none"
        lines = [f"proved on {of}", f"  {'table':<28}{'rows':>10}{'after up':>10}  SHA-256, before and after up"]
        for name, before in self.before.items():
            after, back = self.after.get(name), self.back.get(name)
            told = "equal, and after down" if before == after == back else "NOT EQUAL"
            rows = "gone" if after is None else f"{after.rows:,}"
            digests = f"{before.sha256[:16]} {after.sha256[:16] if after else '-'}"
            lines.append(f"  {printable(name):<28}{before.rows:>10,}{rows:>10}  {digests}  {told}")
        lines.append(f"  schema after down: {'; '.join(self.schema) or 'equal to the one before'}")
        remains = [f"{one.code} {one.place}" for one in self.remains]
        lines.append(f"  second report: {', '.join(remains) or f'none of the {self.mended} mended findings is left'}")
        return lines


async def prove(patient: Patient, examined: Examined, migration: Migration) -> Proof:
    """Up, a second report, and down, on a copy that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="tally-doctor-") as folder:
        path = Path(folder) / "copy.db"
        proof = Proof(with_rows=isinstance(patient, FilePatient), mended=len(migration.mends))
        with closing(binding.connect(str(path), isolation_level=None)) as copy:
            if isinstance(patient, FilePatient):
                patient.connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            elif (error := _schema_alone(copy, examined)) is not None:
                proof.error = error
                return proof
            copy.text_factory = bytes
            await _try(copy, path, examined, migration, proof)
        return proof


def _schema_alone(copy: Any, examined: Examined) -> str | None:
    """Make its tables, indexes, views and triggers in the copy; what stopped that."""
    schema, order = examined.case.schema, ("table", "index", "view", "trigger")
    for one in sorted(schema.objects, key=lambda one: (order.index(one["type"]), one["name"] not in schema.virtual)):
        name, needed = one["name"], one["tbl_name"] in schema.tables and one["type"] in ("table", "index")
        if not one["sql"] or (one["type"] == "table" and not needed and name not in schema.virtual):
            continue  # what an engine or a virtual table makes for itself
        try:
            copy.execute(one["sql"])
        except binding.Error as error:
            if needed:
                return f"the schema cannot be copied: {name}: {error}"
    return None


async def _try(copy: Any, path: Path, examined: Examined, migration: Migration, proof: Proof) -> None:
    tables = examined.case.schema.tables
    proof.before, schema = _sums(copy, tables), _schema(copy)
    for which in ("up", "down"):
        statement = "the rows afterwards"
        try:
            copy.execute("BEGIN IMMEDIATE")
            for statement in migration.statements(which):
                copy.execute(statement)
            copy.execute("COMMIT")
            sums = _sums(copy, tables)
        except binding.Error as error:
            proof.error = f"{which}: {error}: {' '.join(statement.split())[:200]}"
            return
        if which == "down":
            proof.back = sums
            break
        proof.after = sums
        async with patient_of(str(path)) as again:
            left = {one.key for one in (await examine(again)).findings}
        proof.remains = [one for one in migration.mends if one.key in left]
    proof.schema = drift.differences(_schema(copy), schema)


def _schema(copy: Any) -> dict[drift.Thing, str]:
    rows = copy.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {
        drift.Thing(kind.decode(), name.decode("utf-8", "replace")): sql.decode("utf-8", "replace")
        for kind, name, sql in rows
    }


def _sums(copy: Any, tables: dict[str, Table]) -> dict[str, Sum]:
    found = {}
    for name, table in tables.items():
        digest, rows = hashlib.sha256(), 0
        for row in _rows(copy, table):
            rows += 1
            digest.update(repr(row).encode())
        found[name] = Sum(rows, digest.hexdigest())
    return found


def _rows(copy: Any, table: Table) -> Iterator[Any]:
    """Every row with its rowid, in the order of its key; texts as their bytes, apart from BLOBs by their type."""
    free = next((one for one in ("rowid", "_rowid_", "oid") if table.column(one) is None), None)
    # Called by the table's name: a column that is gone would else be a text in double quotes.
    columns = [column(one.name) for one in table.columns]
    key = [column(one.name) for one in table.key] if table.without_rowid or free is None else [f"walked.{free}"]
    key = key or columns
    values = [*key, *(f"typeof({one})" for one in columns), *columns]
    cursor = copy.execute(f"SELECT {', '.join(values)} FROM {quoted(table.name)} AS walked ORDER BY {', '.join(key)}")
    return iter(cursor)

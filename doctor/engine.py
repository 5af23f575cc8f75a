"""What an engine tells about itself, and about the soundness of what it keeps."""

from __future__ import annotations

from typing import Final

from db.helper import DatabaseError
from doctor.case import Engine, Violated
from doctor.patient import Patient, asked
from doctor.schema import Schema

_SYNCHRONOUS: Final = ("OFF", "NORMAL", "FULL", "EXTRA")
_MEANT: Final = ("no such table", "no such column", "ambiguous column")


async def engine_of(patient: Patient, not_asked: list[str]) -> Engine:
    """The engine, with what it does not tell added to `not_asked`."""
    if patient.header is not None:
        return _of_file(patient, not_asked)
    engine = Engine(patient.engine)
    if patient.engine == "d1":
        engine.about.append(("engine", "Cloudflare D1, through its gateway"))
        engine.about.append(("foreign keys", "enforced on every connection; D1 ignores a request to switch them off"))
        engine.about.append(("durability", "D1's own: a commit is answered when it is replicated"))
        not_asked.append("D1 does not tell its SQLite's version, its journal or the size of its tables")
        not_asked.append("D1 allows quick_check alone: that indexes agree with their tables was not looked at")
    else:
        if rows := await asked(patient, "SELECT sqlite_version() AS version"):
            numbers = str(rows[0]["version"]).split(".")
            engine.version = (int(numbers[0]), int(numbers[1]), int(numbers[2]))
        engine.about.append(("engine", f"libSQL server, SQLite {dotted(engine.version)}"))
        if rows := await asked(patient, "SELECT synchronous FROM pragma_synchronous"):
            engine.synchronous = int(rows[0]["synchronous"])
            engine.about.append(("durability", f"WAL, synchronous = {_SYNCHRONOUS[engine.synchronous]}"))
        engine.wal = True
    if rows := await asked(patient, "SELECT foreign_keys FROM pragma_foreign_keys"):
        engine.foreign_keys = bool(rows[0]["foreign_keys"])
    return engine


def dotted(version: tuple[int, int, int] | None) -> str:
    return ".".join(map(str, version)) if version else "of an unknown version"


def _of_file(patient: Patient, not_asked: list[str]) -> Engine:
    header = patient.header
    assert header is not None
    engine = Engine("sqlite", header.written_by, header.wal)
    if header.size == 0:
        engine.about.append(("file", "empty: a database without a table"))
        return engine
    journal = "write-ahead log (WAL)" if header.wal else "rollback journal: a reader and a writer wait for each other"
    engine.about.append(("file", f"{header.size:,} bytes, pages of {header.page_size:,}"))
    engine.about.append(("last written by", f"SQLite {dotted(header.written_by)}"))
    engine.about.append(("journal", journal))
    not_asked.append(
        "Durability: PRAGMA synchronous is each connection's own and leaves no trace in a file. SQLite's default is "
        "FULL; with NORMAL a power cut may lose the newest commits, with OFF it may damage the file. Look at the "
        "programs that write"
    )
    return engine


async def damage_of(patient: Patient, not_asked: list[str]) -> list[str]:
    """What integrity_check says, or quick_check where that is all the engine allows; empty if all is well."""
    for check in ("integrity_check", "quick_check"):
        rows = await asked(patient, f"SELECT {check} AS said FROM pragma_{check}")
        if rows is not None:
            said = [str(row["said"]) for row in rows]
            return [] if said == ["ok"] else said
        if patient.header is not None:
            return ["the file is so damaged that it cannot be checked"]
    not_asked.append("The engine does not check its integrity, or not in the time that it gives")
    return []


async def violated_of(patient: Patient, schema: Schema, not_asked: list[str]) -> list[Violated]:
    """The rows that break a foreign key, by table and reference."""
    found = []
    for table in schema.tables.values():
        if not table.references:
            continue
        name = "'" + table.name.replace("'", "''") + "'"
        rows = await asked(
            patient,
            f"""
            SELECT fkid, count(*) AS how_many, group_concat(CASE WHEN place <= 5 THEN number END, ', ') AS sample
            FROM (SELECT fkid, "rowid" AS number, row_number() OVER (PARTITION BY fkid) AS place
                  FROM pragma_foreign_key_check({name})) GROUP BY fkid
            """,
        )
        if rows is None:
            not_asked.append(f"Whether rows of {table.name} refer to nothing: foreign_key_check fails on it")
            continue
        found += [Violated(table.name, row["fkid"], int(row["how_many"]), row["sample"] or "") for row in rows]
    return found


async def broken_views_of(patient: Patient, schema: Schema) -> list[tuple[str, str]]:
    """Views that name what is not there, and the engine's words. A function that only the owner has is no defect."""
    found = []
    for name in schema.views:
        quoted = '"' + name.replace('"', '""') + '"'
        try:
            await patient.ask(f"EXPLAIN QUERY PLAN SELECT * FROM {quoted}")
        except DatabaseError as error:
            if any(words in str(error) for words in _MEANT):
                found.append((name, str(error)))
    return found

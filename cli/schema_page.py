"""The schema reference: tables, columns, constraints, indexes, and the ER diagram, read from a migrated database."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from cli.reference import NOTICE, cell
from db.helper import Database, connect
from db.migrate import DIRECTORY, Migrations
from db.sql import unregistered

TABLES: Final = unregistered("""
    SELECT t.name, t.type, t.wr AS without_rowid, t.strict, s.sql FROM pragma_table_list t
    JOIN sqlite_schema s ON s.name = t.name AND s.type = 'table'
    WHERE t.type IN ('table', 'virtual') AND substr(t.name, 1, 7) <> 'sqlite_' ORDER BY t.name
""")
COLUMNS: Final = unregistered("""
    SELECT t.name AS "table", c.name, c.type, c."notnull" AS required, c.dflt_value AS fallback, c.pk, c.hidden
    FROM pragma_table_list t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid
""")
REFERENCES: Final = unregistered("""
    SELECT t.name AS "table", f.id, f."from", f."table" AS parent, f."to"
    FROM pragma_table_list t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' ORDER BY t.name, f.id DESC, f.seq
""")
OBJECTS: Final = unregistered("""
    SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema
    WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY tbl_name, type, name
""")
_CHECK: Final = re.compile(r"\bCONSTRAINT\s+(\w+)\s+CHECK\s*\(", re.I)
_INDEX: Final = re.compile(r"CREATE\s+(UNIQUE\s+)?INDEX\s+\w+\s+ON\s+\w+\s*(.*)", re.I | re.S)
_TRIGGER: Final = re.compile(r"CREATE\s+TRIGGER\s+\w+\s+(.*?)\s+ON\s+\w+", re.I | re.S)
_TABLE_COMMENT: Final = re.compile(r"((?:^--[^\n]*\n)+)CREATE (?:VIRTUAL )?TABLE (\w+)", re.M)


class Schema(NamedTuple):
    """What the pragmas say: rows of TABLES, COLUMNS, REFERENCES and OBJECTS."""

    tables: list[dict[str, Any]]
    columns: list[dict[str, Any]]
    references: list[dict[str, Any]]
    objects: list[dict[str, Any]]


def page() -> str:
    """The page. Migrates a database of its own in a temporary folder."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner, tempfile.TemporaryDirectory() as folder:
        schema = runner.run(_schema(Path(folder) / "schema.db"))
    remarks = _remarks()
    lines = ["# Schema", NOTICE]
    lines += ["Times are RFC 3339 in UTC with milliseconds, amounts integers in minor units, ids TypeIDs."]
    lines += ["Reads go through the view `live_<table>` where there is one.", "", "```mermaid", "erDiagram"]
    lines += _diagram(schema)
    lines += ["```"]
    for table in schema.tables:
        lines += _table(table, schema, remarks.get(table["name"], ""))
    return "\n".join(lines) + "\n"


async def _schema(path: Path) -> Schema:
    db: Database = await connect(f"sqlite:///{path}")
    try:
        await Migrations(DIRECTORY).up(db)
        return Schema(*await db.read(TABLES(), COLUMNS(), REFERENCES(), OBJECTS()))
    finally:
        await db.close()


def _remarks() -> dict[str, str]:
    """The comment that stands right before a table in its migration."""
    found = {}
    for file in sorted(DIRECTORY.glob("[0-9]*.sql")):
        for comment, table in _TABLE_COMMENT.findall(file.read_text(encoding="utf-8")):
            found[table] = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
    return found


def _diagram(schema: Schema) -> list[str]:
    """A line per foreign key; the tables that have none of either side stand alone."""
    needed = {(row["table"], row["name"]) for row in schema.columns if row["required"] or row["pk"]}
    lines = []
    for row in _keys(schema):
        one = "||" if all((row["table"], name) in needed for name in row["columns"]) else "|o"
        lines.append(f'  {row["parent"]} {one}--o{{ {row["table"]} : "{", ".join(row["columns"])}"')
    drawn = {word for line in lines for word in line.split()}
    alone = [row["name"] for row in schema.tables if row["type"] == "table" and row["name"] not in drawn]
    return sorted(lines) + [f"  {name}" for name in alone]


def _keys(schema: Schema) -> list[dict[str, Any]]:
    """Foreign keys, the columns of each together."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in schema.references:
        key = found.setdefault(
            (row["table"], row["id"]), {"table": row["table"], "parent": row["parent"], "columns": [], "to": []}
        )
        key["columns"].append(row["from"])
        key["to"].append(row["to"])
    return list(found.values())


def _table(table: dict[str, Any], schema: Schema, remark: str) -> list[str]:
    name = table["name"]
    lines = ["", f"## {name}", ""]
    if remark:
        lines += [remark, ""]
    if table["type"] == "virtual":
        return [*lines, "```sql", table["sql"], "```"]
    lines += ["| column | type | null | default | key |", "| --- | --- | --- | --- | --- |"]
    keys = [key for key in _keys(schema) if key["table"] == name]
    for column in (row for row in schema.columns if row["table"] == name):
        kind = column["type"] + (" (generated)" if column["hidden"] in (2, 3) else "")
        default = f"`{cell(column['fallback'])}`" if column["fallback"] is not None else ""
        marks = ["primary"] if column["pk"] else []
        marks += [
            f"→ [{key['parent']}](#{key['parent']}).{to}"
            for key in keys
            for here, to in zip(key["columns"], key["to"], strict=True)
            if here == column["name"]
        ]
        null = "" if column["required"] or column["pk"] else "yes"
        lines.append(f"| `{column['name']}` | {kind} | {null} | {default} | {', '.join(marks)} |")
    lines += _details(name, table, schema)
    return lines


def _details(name: str, table: dict[str, Any], schema: Schema) -> list[str]:
    lines = []
    if checks := checks_of(table["sql"]):
        lines += ["", "Constraints:", ""]
        lines += [f"- `{constraint}`: `{condition}`" for constraint, condition in checks.items()]
    mine = [row for row in schema.objects if row["table"] == name]
    if indexes := [row for row in mine if row["type"] == "index"]:
        lines += ["", "Indexes:", ""]
        for row in indexes:
            matched = _INDEX.match(row["sql"])
            assert matched, row["sql"]
            lines.append(f"- `{row['name']}`: {'unique ' if matched[1] else ''}`{_flat(matched[2])}`")
    if triggers := [row for row in mine if row["type"] == "trigger"]:
        lines += ["", "Triggers:", ""]
        for row in triggers:
            matched = _TRIGGER.match(row["sql"])
            assert matched, row["sql"]
            lines.append(f"- `{row['name']}`: {_flat(matched[1]).lower()}")
    if any(row["type"] == "view" and row["name"] == f"live_{name}" for row in schema.objects):
        lines += ["", f"View: `live_{name}`, the rows that are not deleted."]
    return lines


def checks_of(sql: str) -> dict[str, str]:
    """The named CHECK constraints of a CREATE TABLE: name and condition."""
    found = {}
    for matched in _CHECK.finditer(sql):
        depth, position, quoted = 1, matched.end(), False
        while depth:
            letter = sql[position]
            if letter == "'":
                quoted = not quoted
            elif not quoted:
                depth += (letter == "(") - (letter == ")")
            position += 1
        found[matched[1]] = _flat(sql[matched.end() : position - 1])
    return found


def _flat(text: str) -> str:
    return " ".join(text.split())

"""A stranger's schema: its tables, columns, indexes, references and triggers, as the database itself describes them.

Asked a chunk of tables at a time, so that ten thousand of them come through a server's limits. What SQLite, an engine,
a replicator or a migration tool keeps for itself is left out, and so are virtual tables and the tables behind them.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from db.helper import Row
from doctor.lexer import Token, tokens
from doctor.patient import Patient, asked
from doctor.words import has

CHUNK: Final = 200
"""Tables asked about in one question; of a wide schema some 300 KB."""
_KEPT_BY_OTHERS: Final = ("sqlite_", "libsql_", "_cf_", "_litestream_", "__")
_TOOLS: Final = ("alembic_version", "django_content_type", "knex_lock", "d1_kv")
_BEHIND: Final = (
    "data",
    "idx",
    "content",
    "docsize",
    "config",
    "segments",
    "segdir",
    "stat",
    "node",
    "parent",
    "rowid",
)
"""How the tables behind a full-text or spatial index end, where the engine lacks the module and cannot tell."""
_VIRTUAL: Final = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\b", re.I)

_OBJECTS: Final = """
    SELECT rowid AS at, type, name, tbl_name, coalesce(sql, '') AS sql FROM sqlite_schema
    WHERE rowid > CAST(:after AS INTEGER) ORDER BY rowid LIMIT 500
"""
_LISTED: Final = "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY name"
_COLUMNS: Final = """
    SELECT n.value AS in_table, c.name AS name, c.type AS kind, c."notnull" AS not_null, c.pk AS pk, c.hidden AS hidden
    FROM json_each(:names) AS n, pragma_table_xinfo(n.value) AS c ORDER BY n.key, c.cid
"""
_INDEXES: Final = """
    SELECT n.value AS in_table, i.name AS name, i."unique" AS is_unique, i.origin AS origin, i.partial AS partial,
      x.name AS in_column, x.desc AS descending, x.coll AS collation
    FROM json_each(:names) AS n, pragma_index_list(n.value) AS i, pragma_index_xinfo(i.name) AS x
    WHERE x."key" = 1 ORDER BY n.key, i.seq, x.seqno
"""
_REFERENCES: Final = """
    SELECT n.value AS in_table, f.id AS id, f."table" AS parent, f."from" AS child_column, f."to" AS parent_column
    FROM json_each(:names) AS n, pragma_foreign_key_list(n.value) AS f ORDER BY n.key, f.id, f.seq
"""


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` is the type as declared; `hidden` a generated one or one of a virtual table."""

    name: str
    kind: str
    not_null: bool
    pk: int
    hidden: bool

    @property
    def affinity(self) -> str:
        """INTEGER, TEXT, BLOB, REAL or NUMERIC: what SQLite makes of the declared type (datatype3, section 3.1)."""
        kind = self.kind.upper()
        if "INT" in kind:
            return "INTEGER"
        if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
            return "TEXT"
        if not kind or "BLOB" in kind:
            return "BLOB"
        return "REAL" if any(word in kind for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


@dataclass(frozen=True, slots=True)
class Index:
    """`origin` is c (CREATE INDEX), u (UNIQUE) or pk. A column is None for an expression; `where` of a partial one."""

    name: str
    table: str
    columns: tuple[str | None, ...]
    order: tuple[tuple[bool, str], ...]
    """Of each column: whether it is descending, and its collation."""
    unique: bool
    origin: str
    where: tuple[str, ...] | None
    sql: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key. `parent_columns` is empty where it names the parent's primary key by leaving it out."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass
class Table:
    """`triggers` are those on this table."""

    name: str
    sql: str
    without_rowid: bool
    strict: bool
    columns: list[Column] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    triggers: list[list[Token]] = field(default_factory=list)

    @cached_property
    def key(self) -> list[Column]:
        """The primary key's columns, in its order."""
        return sorted((one for one in self.columns if one.pk), key=lambda one: one.pk)

    @property
    def rowid_name(self) -> str | None:
        """The column that is the rowid by another name, if there is one."""
        key = self.key
        integer = len(key) == 1 and key[0].kind.upper() == "INTEGER" and not self.without_rowid
        return key[0].name if integer and not any(one.origin == "pk" for one in self.indexes) else None

    @cached_property
    def tokens(self) -> list[Token]:
        return tokens(self.sql)

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name.lower() == name.lower()), None)

    @property
    def is_history(self) -> bool:
        """Whether its rows are written once: by its name, or because a trigger refuses UPDATE altogether."""
        return has(self.name, *HISTORY) or self.refuses("update")

    def refuses(self, what: str) -> bool:
        """Whether a trigger without a condition stops every UPDATE or DELETE."""
        return any(
            [one.text.lower() for one in trigger if one.is_word("update", "delete", "of", "when", "raise")]
            == [what, "raise"]
            for trigger in self.triggers
        )


HISTORY: Final = ("event", "log", "move", "movement", "history", "audit", "ledger", "journal")


@dataclass
class Schema:
    """Tables by name, as they stand in the database. `objects` is every object's SQL, for a copy of the schema."""

    tables: dict[str, Table] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)
    virtual: list[str] = field(default_factory=list)
    objects: list[Row] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Tables that the database lists and does not describe."""

    def table(self, name: str) -> Table | None:
        """By name, whatever its case, as SQLite finds it."""
        return self.tables.get(name) or self._lower.get(name.lower())

    @cached_property
    def _lower(self) -> dict[str, Table]:
        return {name.lower(): table for name, table in self.tables.items()}

    @property
    def references(self) -> Iterator[Reference]:
        return (one for table in self.tables.values() for one in table.references)


async def schema_of(patient: Patient) -> Schema:
    """The schema as it is now. Raises DatabaseError."""
    schema = Schema()
    after = 0
    while page := await patient.ask(_OBJECTS, after=str(after)):
        schema.objects += page
        after = page[-1]["at"]
    schema.views = sorted(one["name"] for one in schema.objects if one["type"] == "view")
    schema.virtual = sorted(one["name"] for one in schema.objects if _VIRTUAL.match(one["sql"]))
    sql_of = {one["name"]: one["sql"] for one in schema.objects if one["type"] == "table"}
    behind = {f"{name}_{end}" for name in schema.virtual for end in _BEHIND}
    for row in await patient.ask(_LISTED):
        name = row["name"]
        if row["type"] == "table" and name in sql_of and name not in behind and not _is_of_others(name):
            schema.tables[name] = Table(name, sql_of[name], bool(row["wr"]), bool(row["strict"]))
    names = list(schema.tables)
    for start in range(0, len(names), CHUNK):
        await _describe(patient, schema, names[start : start + CHUNK])
    for one in schema.objects:
        if one["type"] == "trigger" and (table := schema.table(one["tbl_name"])):
            table.triggers.append(tokens(one["sql"]))
    schema.unread = [name for name, table in schema.tables.items() if not table.columns]
    for name in schema.unread:
        del schema.tables[name]
    return schema


def _is_of_others(name: str) -> bool:
    lower = name.lower()
    return lower.startswith(_KEPT_BY_OTHERS) or lower in _TOOLS or has(name, "migration")


async def _describe(patient: Patient, schema: Schema, names: Sequence[str]) -> None:
    """Fill in a chunk of tables; if one of them makes the question fail, one by one."""
    told = json.dumps(names, ensure_ascii=False)
    answers = [await asked(patient, sql, names=told) for sql in (_COLUMNS, _INDEXES, _REFERENCES)]
    if None in answers and len(names) > 1:
        for name in names:
            await _describe(patient, schema, [name])
        return
    columns, indexes, references = ([] if answer is None else answer for answer in answers)
    for row in columns:
        schema.tables[row["in_table"]].columns.append(
            Column(row["name"], row["kind"] or "", bool(row["not_null"]), row["pk"], bool(row["hidden"]))
        )
    sql_of = {one["name"]: one["sql"] for one in schema.objects if one["type"] == "index"}
    for (table, name), rows in _grouped(indexes, "in_table", "name").items():
        first, sql = rows[0], sql_of.get(name, "")
        index = Index(
            name,
            table,
            tuple(row["in_column"] for row in rows),
            tuple((bool(row["descending"]), str(row["collation"]).upper()) for row in rows),
            bool(first["is_unique"]),
            first["origin"],
            _where(sql) if first["partial"] else None,
            sql,
        )
        schema.tables[table].indexes.append(index)
    for (table, _), rows in _grouped(references, "in_table", "id").items():
        targets = tuple(row["parent_column"] for row in rows if row["parent_column"] is not None)
        reference = Reference(table, tuple(row["child_column"] for row in rows), rows[0]["parent"], targets)
        schema.tables[table].references.append(reference)


def _grouped(rows: Sequence[Row], *by: str) -> dict[tuple[str, str], list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row[by[0]], row[by[1]]].append(row)
    return found


def _where(sql: str) -> tuple[str, ...]:
    """The condition of a partial index, word by word."""
    cut = tokens(sql)
    depth = 0
    for place, token in enumerate(cut):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.is_word("where"):
            return tuple(one.name or one.text for one in cut[place + 1 :])
    return ()

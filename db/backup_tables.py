"""The tables of a schema as a backup sees them, and the SQL that reads and writes their rows exactly, on every engine.

A row is a JSON array of its columns, made by the database itself: D1 tells numbers as doubles, but a text as it is.
Rows come in the order of writing, which is the rowid's (an invariant depends on it), or of the primary key where there
is no rowid, page after page, each bounded in rows and bytes. Generated columns and full-text indexes are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

from db import drift
from db.helper import ROWS_BYTES_MAX, Database, Row
from db.sql import Sql, Statement, Value, unregistered

ARGUMENTS_MAX: Final = 30
"""D1 takes 32 arguments of a function; a wider row comes in several pieces."""
PAGE_ROWS: Final = (200, 4_000)
"""Rows of a table's first page, and of any later one; a page is at most twice as long as the one before."""
PAGE_BYTES: Final = 1_000_000
"""Of the rows of a page, unless it is one row: a libSQL server tells 10 MB at most."""

Key = tuple[Any, ...]

_COLUMNS: Final = unregistered(f"""
    SELECT t.name AS in_table, t.wr AS without_rowid, t.strict AS strict,
      c.name AS in_column, c.type AS kind, c.pk AS pk
    FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.schema = 'main' AND {drift.ours("t.name")}
    ORDER BY t.name, c.cid
""")
_PARENTS: Final = unregistered(f"""
    SELECT t.name AS child, f."table" AS parent FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f
    WHERE t.type = 'table' AND t.schema = 'main' AND {drift.ours("t.name")}
""")
_KINDS: Final = {"TEXT": "TEXT", "INT": "INTEGER", "INTEGER": "INTEGER", "REAL": "REAL", "BLOB": "BLOB"}
_INDEX_OVER_A_TABLE: Final = re.compile(r"using fts5 .*\bcontent = '\w+'", re.S)


class BackupError(Exception):
    """What a person has to know or mend; the sentence says what was kept."""


class Table(NamedTuple):
    """A table: its stored columns with their types, what its rows are ordered by, and the tables it refers to."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    key: tuple[str, ...]
    parents: frozenset[str]


class Line(NamedTuple):
    """A row: its key, as a JSON array, and its canonical text, a JSON array without spaces, with a line end."""

    at: str
    text: str

    @property
    def key(self) -> Key:
        return tuple(json.loads(self.at))


def grows(table: Table) -> bool:
    """Whether new rows mostly come at its end: its key is the rowid, by this name or another."""
    (first, *more), kinds = table.key, dict(zip(table.columns, table.kinds, strict=True))
    return not more and kinds.get(first, "INTEGER") == "INTEGER"


async def tables_of(db: Database) -> dict[str, Table]:
    """The tables of a live schema by name. Raises BackupError for one whose rows cannot be carried."""
    columns, references, objects = await db.read(_COLUMNS(), _PARENTS(), drift.OBJECTS())
    for row in objects:
        text = drift.normal(row["sql"])
        if text.startswith("create virtual table") and not _INDEX_OVER_A_TABLE.search(text):
            raise BackupError(
                f"the virtual table {row['name']} holds rows of its own, which a backup cannot carry: make it an fts5 "
                "index with content = '<a table>'"
            )
    described: dict[str, list[Row]] = {}
    for row in columns:
        described.setdefault(row["in_table"], []).append(row)
    parents: dict[str, set[str]] = {}
    for row in references:
        parents.setdefault(row["child"], set()).add(row["parent"])
    return {name: _table(name, rows, frozenset(parents.get(name, ()))) for name, rows in described.items()}


def _table(name: str, rows: list[Row], parents: frozenset[str]) -> Table:
    columns = tuple(row["in_column"] for row in rows)
    kinds = tuple(_KINDS.get(row["kind"].upper(), "") for row in rows)
    if not rows[0]["strict"] or "" in kinds or "rowid" in columns:
        raise BackupError(
            f"the table {name} cannot be carried: make it STRICT, with columns of the types TEXT, INTEGER, REAL and "
            "BLOB, and none called rowid"
        )
    of_key = sorted((row["pk"], row["in_column"], row["kind"]) for row in rows if row["pk"])
    is_rowid = len(of_key) == 1 and of_key[0][2].upper() == "INTEGER"
    keyed = is_rowid or rows[0]["without_rowid"]
    return Table(name, columns, kinds, tuple(one[1] for one in of_key) if keyed else ("rowid",), parents)


def rings(tables: Sequence[Table]) -> list[tuple[Table, ...]]:
    """The tables, parents before children. Those that refer to one another, or one to itself, are told together."""
    left = {table.name: table for table in tables}
    found: list[tuple[Table, ...]] = []
    while left:
        free = [one for one in left.values() if not (one.parents - {one.name}) & left.keys()]
        ring = min((_reached(name, left) for name in left), key=len)
        groups: list[tuple[Table, ...]] = [(one,) for one in free]
        for group in groups or [tuple(left[name] for name in sorted(ring))]:
            found.append(group)
            for table in group:
                del left[table.name]
    return found


def _reached(name: str, tables: dict[str, Table]) -> set[str]:
    """The tables that one refers to, directly or by way of others, with itself: the fewest are a ring."""
    reached, waiting = set[str](), {name}
    while waiting:
        one = waiting.pop()
        reached.add(one)
        waiting |= tables[one].parents & tables.keys() - reached
    return reached


def refers_to_itself(ring: Sequence[Table]) -> bool:
    """Whether its rows may come before what they refer to."""
    return len(ring) > 1 or ring[0].name in ring[0].parents


async def pages(db: Database, table: Table, last: int | None = None) -> AsyncIterator[list[Line]]:
    """All rows of a table, page after page; each page is of a snapshot of its own, unless `db` is of one.

    `last` is the highest key to read, of a table whose `grows` is true.
    """
    rows, size, after = PAGE_ROWS[0], PAGE_BYTES, dict[str, Value]()
    while True:
        (found,) = await db.read(_page(table, rows, size, after, last))
        lines = [line_of(table, row) for row in found]
        if lines:
            yield lines
        if len(found) == 0 or len(found) == found[0]["among"] < rows:
            return
        after = {f"k{number}": value for number, value in enumerate(lines[-1].key)}
        rows = max(1, min(PAGE_ROWS[1], 2 * len(found)))


def _page(table: Table, rows: int, size: int, after: dict[str, Value], last: int | None) -> Statement:
    order = [quoted(name) for name in table.key]
    names = [f"line{number}" for number in range(_pieces(table))]
    bytes_ = " + ".join(f"length(CAST({name} AS BLOB))" for name in names)
    after_names = ", ".join(f":k{number}" for number in range(len(order)))
    conditions = [f"({', '.join(order)}) > ({after_names})"] if after else []
    if last is not None:
        conditions.append(f"{order[0]} <= :last")
        after = {**after, "last": last}
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    by = ", ".join(f"o{number}" for number in range(len(order)))
    sql = f"""
        SELECT {", ".join(names)}, at, among FROM (
          SELECT {", ".join(names)}, at, count(*) OVER () AS among, row_number() OVER place AS number,
            sum({bytes_}) OVER place AS size
          FROM (
            SELECT {selected(table)}, {", ".join(f"{name} AS o{number}" for number, name in enumerate(order))}
            FROM {quoted(table.name)} {where} ORDER BY {", ".join(order)} LIMIT :rows)
          WINDOW place AS (ORDER BY {by} ROWS UNBOUNDED PRECEDING))
        WHERE number = 1 OR size <= :size ORDER BY number"""
    return unregistered(sql)(rows=rows, size=size, **after)


def selected(table: Table, alias: str = "") -> str:
    """The columns of a SELECT that `line_of` reads: `line0` … and `at`, the key. `alias` is the table's."""
    of = f"{alias}." if alias else ""
    columns = [_told(of + quoted(name), kind) for name, kind in zip(table.columns, table.kinds, strict=True)]
    pieces = [
        f"json_array({', '.join(columns[start : start + ARGUMENTS_MAX])}) AS line{start // ARGUMENTS_MAX}"
        for start in range(0, len(columns), ARGUMENTS_MAX)
    ]
    return f"{', '.join(pieces)}, json_array({', '.join(of + quoted(name) for name in table.key)}) AS at"


def line_of(table: Table, row: Row) -> Line:
    """A row of `selected`. Raises BackupError for a value that no file can hold."""
    text: str = row["line0"]
    pieces = _pieces(table)
    if pieces == 1 and "\\" not in text and "REAL" not in table.kinds:
        return Line(row["at"], text + "\n")  # only escapes and numbers could be worded in another way
    values: list[Any] = json.loads(text)
    for number in range(1, pieces):
        values += json.loads(row[f"line{number}"])
    for place, kind in enumerate(table.kinds):
        if kind == "REAL" and values[place] is not None:
            values[place] = float(values[place])
    try:
        return Line(row["at"], written(values))
    except ValueError as error:
        raise BackupError(f"{table.name}, row {row['at']}: {error}") from error


_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def written(values: Sequence[Any]) -> str:
    """The canonical text of a row. Raises ValueError."""
    return _encoder.encode(values) + "\n"


def _told(column: str, kind: str) -> str:
    if kind == "REAL":  # JSON would round it to 15 digits; 17 tell it exactly
        return f"CASE WHEN {column} IS NOT NULL THEN printf('%!.17g', {column}) END"
    return f"CASE WHEN {column} IS NOT NULL THEN hex({column}) END" if kind == "BLOB" else column


def _pieces(table: Table) -> int:
    return -(-len(table.columns) // ARGUMENTS_MAX)


class Insert:
    """Statements that insert rows, given as canonical texts, into `name`, a table made like `table`."""

    def __init__(self, table: Table, name: str) -> None:
        self.table = table.name
        columns = ", ".join(quoted(column) for column in table.columns)
        into = f"INSERT INTO {quoted(name)} ({columns})"
        picked = [_taken(f"value ->> '$[{place}]'", kind) for place, kind in enumerate(table.kinds)]
        self._many = unregistered(f"{into} SELECT {', '.join(picked)} FROM json_each(:rows)")
        given = [_taken(f":c{place}", kind) for place, kind in enumerate(table.kinds)]
        self._one = unregistered(f"{into} VALUES ({', '.join(given)})")

    def statements(self, texts: Sequence[str]) -> list[Statement]:
        """One for each `ROWS_BYTES_MAX` of rows; a row that is longer by itself goes value by value."""
        made: list[Statement] = []
        waiting: list[str] = []
        size = 0
        for text in [*texts, ""]:
            length = len(text.encode())
            if waiting and (not text or size + length > ROWS_BYTES_MAX):
                made.append(self._many(rows=f"[{','.join(waiting)}]"))
                waiting, size = [], 0
            if length > ROWS_BYTES_MAX:
                made.append(self._one(**{f"c{place}": value for place, value in enumerate(json.loads(text))}))
            elif text:
                waiting.append(text)
                size += length
        return made


def _taken(value: str, kind: str) -> str:
    return f"unhex({value})" if kind == "BLOB" else value


def differences(live: dict[str, Table], made: dict[str, Table]) -> list[str]:
    """Why a restore could not bring the rows of `live` into the schema `made`; empty if it can."""
    found = [
        f"the table {name} is none that the migrations make: write a migration for it, or drop it"
        for name in sorted(live.keys() - made.keys())
    ]
    for name, table in made.items():
        if name not in live or live[name].columns != table.columns or live[name].kinds != table.kinds:
            found.append(f"the table {name} is not as the migrations make it: see `tally migrate validate`")
    return found


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def counting(table: Table) -> Sql:
    return unregistered(f"SELECT count(*) AS how_many FROM {quoted(table.name)}")

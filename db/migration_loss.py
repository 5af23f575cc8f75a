"""What a way back would lose, counted by the database in the very transaction that goes back.

The rows of every table, and the values of every column that is to go, are counted before and after; nothing is
guessed from the SQL, and no row can slip in between the count and the change. Rows that the migrations made
themselves, unchanged since, are no loss.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from db.drift import ours
from db.helper import Database
from db.sql import Statement, guard, unregistered

Columns = Mapping[str, frozenset[str]]
"""The columns that hold data, by table; no view, full-text index or table of the engine's."""

Made = Mapping[str, tuple[frozenset[str], str]]
"""Rows that the migrations insert themselves, which going up makes again: a table's columns, and its rows as JSON."""
MADE_MAX: Final = 1_000
ARGUMENTS_MAX: Final = 31

_LISTED: Final = f"""
    SELECT t.name AS in_table, c.name AS in_column FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND {ours("t.name")}
      AND t.name NOT IN ('migrations', 'migrations_before')
"""
COLUMNS: Final = unregistered(_LISTED)
STOP_WITH_COLUMNS: Final = unregistered(
    guard("0", "dry_run", f"(SELECT json_group_array(json_array(in_table, in_column)) FROM ({_LISTED}))")
)
REFUSE_LOSS: Final = unregistered(
    guard(
        "NOT EXISTS (SELECT 1 FROM migrations_before WHERE how_many > 0)",
        "rows_lost",
        "(SELECT json_group_array(json_array(what, how_many)) FROM "
        "(SELECT what, how_many FROM migrations_before WHERE how_many > 0 ORDER BY what))",
    )
)
LOST: Final = unregistered("SELECT what, how_many FROM migrations_before WHERE how_many > 0 ORDER BY what")
FORGET_COUNTS: Final = unregistered("DROP TABLE migrations_before")
_COUNTS: Final = unregistered("CREATE TABLE migrations_before (what TEXT NOT NULL, how_many INTEGER NOT NULL) STRICT")


class Loss(NamedTuple):
    """`what` is a table (then `how_many` rows go) or `table.column` (then so many values)."""

    what: str
    how_many: int

    def __str__(self) -> str:
        noun = "value" if "." in self.what else "row"
        return f"{self.how_many} {noun}{'' if self.how_many == 1 else 's'} of {self.what}"


def columns_of(pairs: Iterable[Sequence[str]]) -> Columns:
    tables: dict[str, set[str]] = {}
    for table, column in pairs:
        tables.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in tables.items()}


def columns_told(detail: str) -> Columns:
    """The answer of `STOP_WITH_COLUMNS`."""
    return columns_of(json.loads(detail))


def losses_told(detail: str) -> tuple[Loss, ...]:
    """The answer of `REFUSE_LOSS`."""
    return tuple(Loss(what, how_many) for what, how_many in json.loads(detail))


async def made_rows(scratch: Database) -> Made:
    """The rows that the migrations alone made, of every table where they are few and narrow enough to be told apart."""
    (listed,) = await scratch.read(COLUMNS())
    tables = columns_of((row["in_table"], row["in_column"]) for row in listed)
    narrow = {table: columns for table, columns in tables.items() if len(columns) <= ARGUMENTS_MAX}
    queries = [
        unregistered(f"SELECT {whole(columns)} AS made FROM {_quoted(table)} LIMIT {MADE_MAX + 1}")()
        for table, columns in narrow.items()
    ]
    if not queries:
        return {}
    found = zip(narrow, await scratch.read(*queries), strict=True)
    return {
        table: (narrow[table], json.dumps([row["made"] for row in rows]))
        for table, rows in found
        if 0 < len(rows) <= MADE_MAX
    }


def count(before: Columns, after: Columns, made: Made) -> list[Statement]:
    """Statements that remember how much there is before the change.

    Of a table or column that goes, the rows that the migrations made are left out. Of a table that stays they are not:
    a way back that changed one of them could hide another row's loss.
    """
    statements = [_COUNTS()]
    for table, columns in sorted(before.items()):
        statements.append(_counted(table, "*", table, columns, {} if table in after else made))
        for column in sorted(columns - after.get(table, columns)):
            statements.append(_counted(f"{table}.{column}", _quoted(column), table, columns, made))
    return statements


def compare(before: Columns, after: Columns) -> list[Statement]:
    """Statements that take off what is still there after it."""
    statements = []
    for table in sorted(before.keys() & after.keys()):
        text = f"how_many - (SELECT count(*) FROM {_quoted(table)}) WHERE what = {_text(table)}"
        statements.append(unregistered(f"UPDATE migrations_before SET how_many = {text}")())
    return statements


def _counted(what: str, expression: str, table: str, columns: frozenset[str], made: Made) -> Statement:
    text = f"INSERT INTO migrations_before SELECT {_text(what)}, count({expression}) FROM {_quoted(table)}"
    made_columns, rows = made.get(table, (frozenset[str](), ""))
    if made_columns != columns:
        return unregistered(text)()
    text += f" WHERE {whole(columns)} NOT IN (SELECT value FROM json_each(:made))"
    return unregistered(text)(made=rows)


def whole(columns: frozenset[str]) -> str:
    return f"json_array({', '.join(_quoted(column) for column in sorted(columns))})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

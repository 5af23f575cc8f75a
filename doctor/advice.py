"""Which index would help a query: said only of one that was tried. The schema, without a row, stands in memory; there
the planner is asked again with the index in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from db.backup_tables import quoted
from db.engines.sqlite import binding
from doctor.lexer import Token, tokens
from doctor.plans import Planned, Walk, read_plan, with_names
from doctor.schema import Schema, Table

_TABLE: Final = re.compile(r"\s*CREATE\s+(?:TABLE|VIEW|(?:UNIQUE\s+)?INDEX)\b", re.I)
_EQUAL: Final = ("=", "==", "is", "in")
_RANGE: Final = ("<", ">", "<=", ">=", "between")
COLUMNS_MAX: Final = 4
TRIALS_MAX: Final = 100
"""Pairs of indexes tried for one walk."""


class Workbench:
    """The schema of the database, in memory, to try indexes in."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._connection: Any = binding.connect(":memory:", isolation_level=None)
        order = ("table", "index", "view", "trigger")
        for one in sorted(schema.objects, key=lambda one: order.index(one["type"])):
            if _TABLE.match(one["sql"]):
                try:
                    self._connection.execute(one["sql"])
                except binding.Error:
                    continue  # it needs a module or function that is not here; queries that name it get no advice

    def close(self) -> None:
        self._connection.close()

    def against_walk(self, plan: Planned, walk: Walk) -> list[str]:
        """An index with which fewer tables are walked; if none does, one more with it, on another table."""
        walks = self._walks(plan)
        return self._best(plan, walk.name, lambda again: len(again.walks) < walks)

    def against_sort(self, plan: Planned) -> list[str]:
        """An index that gives the order, for the first of the query's tables where one does."""
        for name in plan.sources:
            if advice := self._best(plan, name, lambda again: len(again.sorts) < len(plan.sorts), alone=True):
                return advice
        return []

    def _walks(self, plan: Planned) -> int:
        before = self._plan(plan)
        return 0 if before is None else len(before.walks)

    def _best(self, plan: Planned, name: str, helps: Callable[[Planned], bool], *, alone: bool = False) -> list[str]:
        """The statements that help, of those tried; empty if none does. None may bring a sort that was not there."""
        before = self._plan(plan)
        if before is None or helps(before):
            return []
        mine = self._indexes(plan, name)
        others = [made for other in plan.sources if other != name.lower() for made in self._indexes(plan, other)]
        pairs = [] if alone else [[one, other] for one in mine for other in others]
        for trials in ([[one] for one in mine], pairs[:TRIALS_MAX]):
            good = []
            for trial in trials:
                again = self._try(plan, trial)
                if again is not None and helps(again) and len(again.sorts) <= len(before.sorts):
                    good.append((len(again.sorts), trial))
            if good:
                return min(good, key=lambda one: one[0])[1]
        return []

    def _indexes(self, plan: Planned, name: str) -> list[str]:
        """CREATE INDEX statements worth trying on what the query calls `name`."""
        table = self._schema.table(plan.sources.get(name.lower(), ""))
        if table is None:
            return []
        return [
            f"CREATE INDEX {quoted(index_name(table.name, columns))} ON {quoted(table.name)} "
            f"({', '.join(quoted(one) for one in columns)})"
            for columns in candidates(tokens(plan.query.text), name.lower(), table, plan, self._schema)
        ]

    def _try(self, plan: Planned, made: list[str]) -> Planned | None:
        run = self._connection.execute
        run("SAVEPOINT trial")
        try:
            for one in made:
                run(one)
            return self._plan(plan)
        except binding.Error:
            return None
        finally:
            run("ROLLBACK TO trial")
            run("RELEASE trial")

    def _plan(self, plan: Planned) -> Planned | None:
        text, names = with_names(plan.query.text)
        try:
            cursor = self._connection.execute(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(names))
        except binding.Error:
            return None
        again = Planned(plan.query, plan.sources)
        read_plan(again, [{"detail": row[3]} for row in cursor.fetchall()], self._schema)
        return again


def index_name(table: str, columns: list[str]) -> str:
    """`idx_<table>_<columns>`, in letters that need no quotes where the names are such."""
    return "_".join(["idx", table, *columns])


def candidates(cut: list[Token], name: str, table: Table, plan: Planned, schema: Schema) -> Iterator[list[str]]:
    """Columns worth trying: what is compared with =, then the order or a range; the most useful first."""
    equal, ranged = list[str](), list[str]()
    for place, column in _mentions(cut, name, table, plan, schema):
        after = cut[place + 1].text.lower() if place + 1 < len(cut) else ""
        start = place - 2 if place >= 2 and cut[place - 1].text == "." else place
        before = cut[start - 1].text if start else ""
        if after in _EQUAL or (before in _EQUAL[:2] and after != "."):
            equal.append(column)
        elif after in _RANGE:
            ranged.append(column)
    order = [column for place, column in _mentions(cut, name, table, plan, schema) if _in_order_by(cut, place)]
    equal = list(dict.fromkeys(equal))
    tried = []
    for tail in (order, ranged[:1], [], order[:1]):
        for head in (equal, [], *([one] for one in equal[:COLUMNS_MAX])):
            columns = list(dict.fromkeys([*head, *tail]))[:COLUMNS_MAX]
            if columns and columns not in tried:
                tried.append(columns)
    return iter(tried)


def _mentions(cut: list[Token], name: str, table: Table, plan: Planned, schema: Schema) -> Iterator[tuple[int, str]]:
    """Where columns of the table stand, called by its name or alias; without one only if no other source has it."""
    others = [schema.table(one) for alias, one in plan.sources.items() if one != table.name or alias != name]
    foreign = {column.name.lower() for one in others if one and one is not table for column in one.columns}
    for place, token in enumerate(cut):
        column = table.column(token.name) if token.name else None
        if column is None or _is_set(cut, place):
            continue
        if place >= 2 and cut[place - 1].text == ".":
            if cut[place - 2].name == name:
                yield place, column.name
        elif token.name not in foreign and (place + 1 == len(cut) or cut[place + 1].text not in (".", "(")):
            yield place, column.name


def _is_set(cut: list[Token], place: int) -> bool:
    """Whether it stands in the SET of an UPDATE, where `=` compares nothing."""
    before = next(
        (one for one in reversed(cut[:place]) if one.is_word("set", "where", "from", "on", "returning")), None
    )
    return before is not None and before.is_word("set")


def _in_order_by(cut: list[Token], place: int) -> bool:
    """Whether it stands after the last ORDER BY, before what ends it."""
    starts = [at for at, one in enumerate(cut[:-1]) if one.is_word("order", "group") and cut[at + 1].is_word("by")]
    if not starts or place < starts[-1]:
        return False
    return not any(one.is_word("limit", "union", "having") for one in cut[starts[-1] : place])

"""The plans of given queries: none is run. `EXPLAIN QUERY PLAN` stands before each, and only what reads or writes rows
is taken at all, because some PRAGMAs act as soon as they are compiled.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from db.helper import Busy, DatabaseError, Row, TimedOut, Unavailable
from doctor.lexer import Token, tokens
from doctor.patient import Patient
from doctor.schema import Schema, Table

_QUERIES: Final = ("select", "with", "values", "insert", "update", "delete", "replace")
_LOOP: Final = re.compile(
    r"(?P<how>SCAN|SEARCH) (?P<name>.+?)(?: EXISTS)?"
    r"(?P<rest> (?:USING|VIRTUAL TABLE) .*| LEFT-JOIN.*| RIGHT-JOIN.*)?",
    re.S,
)
_INDEX: Final = re.compile(
    r" USING (?P<automatic>AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX ?(?P<name>.*?)(?: \(.*\))?(?: LEFT-JOIN)?", re.S
)
_SORT: Final = "USE TEMP B-TREE FOR "
_NO_ALIAS: Final = (
    *("where", "on", "using", "join", "left", "right", "inner", "outer", "cross", "natural", "full", "order", "group"),
    *(
        "limit",
        "set",
        "values",
        "select",
        "indexed",
        "not",
        "union",
        "intersect",
        "except",
        "having",
        "default",
        "window",
    ),
    *("returning",),
)


class Query(NamedTuple):
    """One statement of the file, without its `;`; `line` is where it begins."""

    line: int
    text: str


class Walk(NamedTuple):
    """A table walked whole. `name` is as the plan has it, perhaps an alias; `by_index` what is walked instead."""

    table: str
    name: str
    by_index: str | None
    automatic: bool
    aside: bool
    """Not named by the query: a foreign key or a trigger asks."""


@dataclass
class Planned:
    """What the plan of one query says. `error` is why there is none."""

    query: Query
    sources: dict[str, str]
    """Names and aliases in the query, in lower case: the table that each means."""
    indexes: set[str] = field(default_factory=set)
    walks: list[Walk] = field(default_factory=list)
    sorts: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def short(self) -> str:
        text = " ".join(self.query.text.split())
        return text if len(text) <= 90 else f"{text[:87]}…"


def queries_of(text: str) -> Iterator[Query]:
    """The statements of a file of queries; the last one needs no `;`."""
    start = 0
    for token in tokens(text):
        if token.text == ";" and sqlite3.complete_statement(text[start : token.at + 1]):
            yield from _query(text, start, token.at)
            start = token.at + 1
    yield from _query(text, start, len(text))


def _query(text: str, start: int, end: int) -> Iterator[Query]:
    if inside := tokens(text[start:end]):
        first = start + inside[0].at
        yield Query(text.count("\n", 0, first) + 1, text[first:end].rstrip())


async def planned(patient: Patient, schema: Schema, text: str, not_asked: list[str]) -> list[Planned]:
    """The plan of each query of a file. What is no query is named in `not_asked`."""
    found = []
    for query in queries_of(text):
        cut = tokens(query.text)
        if not cut[0].is_word(*_QUERIES):
            not_asked.append(f"The plan of line {query.line} ({cut[0].text} …): it is no query")
            continue
        plan = Planned(query, sources_of(cut, schema))
        found.append(plan)
        asked, names = with_names(query.text)
        try:
            rows = await patient.ask(f"EXPLAIN QUERY PLAN {asked}", **dict.fromkeys(names))
        except (Busy, TimedOut, Unavailable):
            raise
        except DatabaseError as error:
            plan.error = str(error)
            continue
        read_plan(plan, rows, schema)
    return found


def with_names(text: str) -> tuple[str, list[str]]:
    """The query with parameters `:p1`, `:p2`, …, whatever they were, and their names: every engine takes these."""
    known: dict[str, str] = {}
    pieces, last = [], 0
    for token in tokens(text):
        if token.kind == "parameter":
            key = token.text if token.text != "?" else f"? at {token.at}"
            name = known.setdefault(key, f"p{len(known) + 1}")
            pieces += [text[last : token.at], f":{name}"]
            last = token.at + len(token.text)
    return "".join([*pieces, text[last:]]), list(known.values())


def sources_of(cut: list[Token], schema: Schema) -> dict[str, str]:
    """What the names and aliases of a query, and of the views that it names, mean."""
    views = {one["name"].lower(): one["sql"] for one in schema.objects if one["type"] == "view"}
    found: dict[str, str] = {}
    waiting, seen = [cut], set[str]()
    while waiting:
        among = waiting.pop()
        for place, token in enumerate(among[1:], 1):
            before = among[place - 1]
            if not token.name or not (before.is_word("from", "join", "update", "into") or before.text in (",", "(")):
                continue
            if token.name in views and token.name not in seen:
                seen.add(token.name)
                waiting.append(tokens(views[token.name]))
            if table := schema.table(token.name):
                found[token.name] = table.name
                after = among[place + 1 : place + 3]
                if after and after[0].is_word("as"):
                    after = after[1:]
                if after and after[0].name and not after[0].is_word(*_NO_ALIAS):
                    found[after[0].name] = table.name
    return found


def read_plan(plan: Planned, rows: list[Row], schema: Schema) -> None:
    """Put what the plan's rows say into `plan`."""
    limited = any(one.is_word("limit") for one in tokens(plan.query.text))
    for row in rows:
        detail = str(row["detail"])
        if detail.startswith(_SORT):
            plan.sorts.append(detail.removeprefix(_SORT))
        if (loop := _LOOP.fullmatch(detail)) is None:
            continue
        name = loop["name"].removeprefix("TABLE ").partition(" AS ")[2] or loop["name"].removeprefix("TABLE ")
        index = _INDEX.fullmatch(loop["rest"] or "")
        if index and not index["automatic"]:
            plan.indexes.add(index["name"])
        table = _table(name, plan, schema)
        if table is None or "VIRTUAL TABLE" in (loop["rest"] or ""):
            continue
        automatic = bool(index and index["automatic"])
        page = index is not None and limited and not plan.sorts
        if automatic or (loop["how"] == "SCAN" and not page):
            walked = index["name"] if index and not automatic else None
            plan.walks.append(Walk(table.name, name, walked, automatic, name.lower() not in plan.sources))


def _table(name: str, plan: Planned, schema: Schema) -> Table | None:
    return schema.table(plan.sources.get(name.lower(), name))

"""What a query plan says: which indexes a statement uses, and what it walks or sorts that it should not.

SQLite's EXPLAIN QUERY PLAN is a tree of short sentences. Those about tables are `SCAN` (every row) and `SEARCH` (by
an index); `USE TEMP B-TREE` is a sort or a distinct that no index gave.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from db.sql import Sql

_LOOP: Final = re.compile(
    r"(?P<how>SCAN|SEARCH) (?P<name>\(subquery-\d+\)|\w+)(?: EXISTS)?"
    r"(?: VIRTUAL TABLE INDEX (?P<virtual>\S*)"
    r"| USING (?P<automatic>AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX (?P<index>\w+)?"
    r"| USING (?P<key>(?:INTEGER )?PRIMARY KEY))?"
)
_SOURCE: Final = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?|,\s*(\w+)\s+(?:AS\s+)?(\w+)\b", re.I
)
_PAGE: Final = re.compile(r"\bORDER BY\b.*\bLIMIT\b", re.I | re.S)
_SORT: Final = "USE TEMP B-TREE"


@dataclass
class Schema:
    """Tables and the indexes that belong to them, of a connection to a migrated database."""

    connection: Any
    tables: dict[str, bool] = field(default_factory=dict)
    """Name: whether a table is WITHOUT ROWID."""
    views: dict[str, str] = field(default_factory=dict)
    """View: the table that it shows."""
    keys: dict[str, str] = field(default_factory=dict)
    """SQLite's own index of a primary key: its table."""

    def __post_init__(self) -> None:
        run = self.connection.execute
        self.tables = {
            name: bool(wr) for name, wr in run("SELECT name, wr FROM pragma_table_list WHERE type = 'table'")
        }
        for name, sql in run("SELECT name, sql FROM sqlite_schema WHERE type = 'view'"):
            self.views[name] = re.findall(r"\bFROM\s+(\w+)", sql)[0]
        for index, table, origin in run(
            "SELECT i.name, t.name, i.origin FROM pragma_table_list t, pragma_index_list(t.name) i "
            "WHERE t.type = 'table'"
        ):
            if origin == "pk":
                self.keys[index] = table


@dataclass
class Plan:
    """`uses`: the names of its indexes, `<table>.pk` for a primary key. `wrong`: what no statement may do."""

    uses: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def plan_of(sql: Sql, schema: Schema) -> Plan:
    """The plan of a statement; `wrong` says what it walks or sorts."""
    nodes = [
        (node, parent, text)
        for node, parent, _, text in schema.connection.execute(
            f"EXPLAIN QUERY PLAN {sql.text}", [None] * len(sql.names)
        )
    ]
    sources = sources_of(sql.text, schema)
    plan = Plan()
    for _, _, text in nodes:
        _judge_loop(text, sql, sources, schema, plan)
    for _, parent, text in nodes:
        if text.startswith(_SORT) and not _is_small(parent, nodes, sources):
            plan.wrong.append(text)
    return plan


def sources_of(text: str, schema: Schema) -> dict[str, set[str]]:
    """Names and aliases that the statement gives to tables: the tables that each may stand for."""
    found: dict[str, set[str]] = {name: {name} for name in schema.tables}
    for matched in _SOURCE.finditer(text):
        table, alias = (matched[1], matched[2]) if matched[1] else (matched[3], matched[4])
        table = schema.views.get(table, table)
        if alias and table in schema.tables:
            found.setdefault(alias, set()).add(table)
    return found


def _judge_loop(text: str, sql: Sql, sources: dict[str, set[str]], schema: Schema, plan: Plan) -> None:
    matched = _LOOP.match(text)
    if matched is None or text == "SCAN CONSTANT ROW":
        return
    _judge_walk(text, matched, sql, sources, plan)
    name, index = matched["name"], matched["index"]
    if name not in sources or matched["virtual"] is not None or matched["automatic"]:
        return  # a subquery's rows, json_each's, or constants; an automatic index has no name
    if index:
        plan.uses.add(f"{schema.keys[index]}.pk" if index in schema.keys else index)
    else:
        names = {f"{table}.pk" for table in _keyed(sources[name], matched["key"], schema)}
        # An alias may stand for two tables in two subqueries; what was declared decides.
        plan.uses |= names & set(sql.indexes) or names


def _judge_walk(text: str, matched: re.Match[str], sql: Sql, sources: dict[str, set[str]], plan: Plan) -> None:
    if matched["virtual"] is not None:
        # json_each without its argument, or a full-text index without MATCH, would be walked whole.
        walks = matched["virtual"].startswith("0:") and "M" not in matched["virtual"]
    elif matched["name"] not in sources:
        walks = False
    else:
        # A page may walk the index of its order until it is full; anything else walks a table that grows.
        page = matched["index"] and _PAGE.search(sql.text)
        walks = bool(matched["automatic"]) or (matched["how"] == "SCAN" and not page)
    if walks:
        plan.wrong.append(text)


def _keyed(tables: set[str], key: str | None, schema: Schema) -> set[str]:
    """Of the tables that an alias may stand for, those whose primary key the plan can mean."""
    if len(tables) == 1 or key is None:
        return tables
    return {table for table in tables if schema.tables[table] == (key == "PRIMARY KEY")} or tables


def _is_small(parent: int, nodes: list[tuple[int, int, str]], sources: dict[str, set[str]]) -> bool:
    """Whether what is sorted comes from the request (json_each or a subquery of it), so that its size is bounded.

    The outermost loop beside the sort decides; a subquery is looked into.
    """
    siblings = [(node, text) for node, above, text in nodes if above == parent]
    for position, (_, text) in enumerate(siblings):
        matched = _LOOP.match(text)
        if matched is None:
            continue
        if matched["virtual"] is not None:
            return matched["virtual"].startswith(("1:", "3:"))
        if matched["name"] in sources:
            return False
        inner = [
            node
            for node, before in siblings[:position]
            if before.startswith(("CO-ROUTINE", "MATERIALIZE")) and before.endswith(f" {matched['name']}")
        ]
        return bool(inner) and _is_small(inner[0], nodes, sources)
    return False

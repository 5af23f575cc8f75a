"""Damage, rows that refer to nothing, rules that do not hold, views that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from doctor.case import Case, Violated
from doctor.catalogue import found
from doctor.finding import Finding, Severity
from doctor.lexer import groups
from doctor.rows import Question
from doctor.schema import Reference, Schema, Table

SHOWN: Final = 3
_RULE: Final = re.compile(r"(CHECK constraint failed|NULL value) in (.+)", re.S)
_KIND: Final = re.compile(r"(?:TEXT|NUMERIC|non-\w+) value in ")


def questions(schema: Schema) -> Iterator[Question]:
    """Whether each CHECK holds: a connection that only reads does not load them, so integrity_check leaves them out."""
    for table in schema.tables.values():
        broken = []
        for group in groups(table.tokens, "check"):
            if group:
                rule = table.sql[group[0].at : group[-1].at + len(group[-1].text)]
                broken.append(f"NOT coalesce(({rule}\n), 1)")
        if broken:
            yield Question(table.name, "check", " OR ".join(broken))


def findings(case: Case) -> Iterator[Finding]:
    yield from _damage(case)
    broken = dict(_broken(case.schema))
    for (table, number), why in broken.items():
        reference = case.schema.tables[table].references[number]
        yield found("foreign_key_broken", place_of(reference), why)
    yield from _violations(case, [one for one in case.violated if (one.table, one.reference) not in broken])
    for view, why in case.broken_views:
        yield found("broken_view", view, f"{why}.")


def place_of(reference: Reference) -> str:
    """`child(column, …)`."""
    return f"{reference.table}({', '.join(reference.columns)})"


def rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _damage(case: Case) -> Iterator[Finding]:
    rules: dict[tuple[str, str], int] = {}
    damaged = []
    for said in case.damage:
        if rule := _RULE.fullmatch(said):
            rules[rule[1], rule[2]] = rules.get((rule[1], rule[2]), 0) + 1
        elif not _KIND.match(said):  # values of another type are counted, all of them, by columns.py
            damaged.append(said)
    if damaged:
        shown = "; ".join(damaged[:SHOWN])
        more = f"; and {len(damaged) - SHOWN} more" if len(damaged) > SHOWN else ""
        yield found("corruption", "database", f"The check says: {shown}{more}.")
    for table in case.schema.tables:
        if many := case.counts.of(table, "check"):
            yield found("constraint_violation", table, f"A CHECK does not hold in {rows(many)}.")
    for (rule_, place), many in rules.items():
        if rule_ != "NULL value":
            continue  # counted above, all of them
        least = "at least " if len(case.damage) >= 100 else ""
        yield found("constraint_violation", place, f"{rule_} in {least}{rows(many)}.")


def _broken(schema: Schema) -> Iterator[tuple[tuple[str, int], str]]:
    tables = {one["name"].lower() for one in schema.objects if one["type"] == "table"}
    for table in schema.tables.values():
        for number, reference in enumerate(table.references):
            if reference.parent.lower() not in tables:
                yield (table.name, number), f"It refers to {reference.parent}, which is no table."
            elif (parent := schema.table(reference.parent)) and (why := _no_key(reference, parent)):
                yield (table.name, number), why


def _no_key(reference: Reference, parent: Table) -> str | None:
    """Why the parent's columns are no key to refer to."""
    key = {one.name.lower() for one in parent.key}
    named = {one.lower() for one in reference.parent_columns}
    if not named:
        return None if len(key) == len(reference.columns) else f"{parent.name} has no primary key of that many columns."
    if missing := named - {one.name.lower() for one in parent.columns}:
        return f"{parent.name} has no column {', '.join(sorted(missing))}."
    unique = [
        {(one or "").lower() for one in index.columns}
        for index in parent.indexes
        if index.unique and index.where is None
    ]
    return None if named == key or named in unique else f"{parent.name}({', '.join(sorted(named))}) is not unique."


def _violations(case: Case, violated: list[Violated]) -> Iterator[Finding]:
    for one in violated:
        reference = case.schema.tables[one.table].references[one.reference]
        which = f", rowids {one.sample}{', …' if one.how_many > 5 else ''}" if one.sample else ""
        what = f"{rows(one.how_many)} whose {reference.parent} is not there{which}."
        yield found("foreign_key_violation", place_of(reference), what)
    if case.engine.foreign_keys is False:
        yield found("foreign_keys_off", "database", "The engine says that it does not enforce them.")
    if case.engine.name != "sqlite" or not any(True for _ in case.schema.references):
        return
    if violated:
        what = "The rows above can only have been written by a connection that had them off."
        yield found("foreign_keys_per_connection", "database", what, Severity.HIGH)
    else:
        yield found("foreign_keys_per_connection", "database", "No row breaks one today.")

"""The findings as a person reads them: text, Markdown, JSON. By severity; why and how to mend stand once a code."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from doctor.catalogue import CATALOGUE
from doctor.examine import Examined
from doctor.finding import Finding, Severity

WIDTH = 110


def text(examined: Examined) -> str:
    """For a terminal."""
    return "\n".join(_text(examined))


def markdown(examined: Examined) -> str:
    return "\n".join(_markdown(examined)) + "\n"


def as_json(examined: Examined) -> str:
    """One object: `database`, `about`, `tables`, `findings`, `not_asked`, `counts` by severity."""
    case = examined.case
    told = {
        "database": case.name,
        "engine": case.engine.name,
        "about": dict(case.engine.about),
        "counts": {severity.word: number for severity, number in _numbers(examined)},
        "findings": [_as_object(one) for one in examined.findings],
        "tables": [
            dict(zip(("table", "rows", "columns", "indexes", "foreign_keys"), row, strict=True))
            for row in _tables(examined)
        ],
        "not_asked": case.not_asked,
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def summary(examined: Examined) -> str:
    """`2 critical, 1 low`, or that there is nothing."""
    told = [f"{number} {severity.word}" for severity, number in _numbers(examined) if number]
    return ", ".join(told) or "nothing found"


def _numbers(examined: Examined) -> Iterator[tuple[Severity, int]]:
    for severity in reversed(Severity):
        yield severity, sum(1 for one in examined.findings if one.severity == severity)


def _as_object(one: Finding) -> dict[str, Any]:
    entry = CATALOGUE[one.code]
    return {
        "code": one.code,
        "severity": one.severity.word,
        "place": one.place,
        "what": one.what,
        "why": entry.why,
        "mend": entry.mend,
        "migration": entry.written,
    }


def _groups(examined: Examined) -> Iterator[tuple[Severity, str, list[Finding]]]:
    for (severity, code), some in groupby(examined.findings, key=lambda one: (one.severity, one.code)):
        yield severity, code, list(some)


def _tables(examined: Examined) -> list[tuple[str, int | None, int, int, int]]:
    case = examined.case
    return [
        (name, case.counts.rows.get(name), len(table.columns), len(table.indexes), len(table.references))
        for name, table in case.schema.tables.items()
    ]


def _text(examined: Examined) -> Iterator[str]:
    yield from _head(examined)
    for severity, code, some in _groups(examined):
        entry = CATALOGUE[code]
        yield f"{severity.word.upper()}  {entry.title}  [{code}]"
        for one in some:
            yield from _wrapped(f"{one.place}: {one.what}", "  - ", "    ")
        yield from _wrapped(f"Why: {entry.why}", "  ", "  ")
        yield from _wrapped(f"Mend: {entry.mend}{_by_migration(entry.written)}", "  ", "  ")
        yield ""
    if examined.case.not_asked:
        yield "What could not be asked"
        for sentence in examined.case.not_asked:
            yield from _wrapped(f"{sentence}.", "  - ", "    ")
        yield ""
    yield summary(examined)
    yield ""


def _head(examined: Examined) -> Iterator[str]:
    case = examined.case
    yield printable(case.name)
    yield from (f"  {label}: {told}" for label, told in case.engine.about)
    tables = _tables(examined)
    total = sum(rows or 0 for _, rows, *_ in tables)
    indexes = sum(number for _, _, _, number, _ in tables)
    yield f"  {len(tables)} tables, {indexes} indexes, {total:,} rows"
    yield ""
    if tables:
        width = min(40, max(len("table"), *(len(printable(name)) for name, *_ in tables)))
        yield f"  {'table':<{width}}  {'rows':>12}  {'columns':>7}  {'indexes':>7}  {'foreign keys':>12}"
        for name, rows, columns, number, references in tables[:TABLES_SHOWN]:
            shown = "?" if rows is None else f"{rows:,}"
            yield f"  {printable(name):<{width}}  {shown:>12}  {columns:>7}  {number:>7}  {references:>12}"
        if len(tables) > TABLES_SHOWN:
            yield f"  … and {len(tables) - TABLES_SHOWN} more (--json has them all)"
        yield ""


TABLES_SHOWN = 100


def _wrapped(sentence: str, first: str, then: str) -> Iterator[str]:
    yield from textwrap.wrap(
        printable(sentence),
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _by_migration(written: bool) -> str:
    return " (--write-migration writes it)" if written else ""


def printable(words: str) -> str:
    """Without line ends and control characters: a name may hold any, and a terminal acts on some."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in words)


def _markdown(examined: Examined) -> Iterator[str]:
    case = examined.case
    yield f"# {_escaped(case.name)}"
    yield from (f"- {label}: {_escaped(told)}" for label, told in case.engine.about)
    yield f"- found: {summary(examined)}"
    yield ""
    for severity, code, some in _groups(examined):
        entry = CATALOGUE[code]
        yield f"## {severity.word}: {entry.title} (`{code}`)"
        yield from (f"- **{_escaped(one.place)}**: {_escaped(one.what)}" for one in some)
        yield ""
        yield f"Why: {entry.why}"
        yield ""
        yield f"Mend: {entry.mend}{_by_migration(entry.written)}"
        yield ""
    yield "## Tables"
    yield "| table | rows | columns | indexes | foreign keys |"
    yield "|---|---:|---:|---:|---:|"
    for name, rows, columns, indexes, references in _tables(examined):
        yield f"| {_escaped(name)} | {'?' if rows is None else f'{rows:,}'} | {columns} | {indexes} | {references} |"
    if case.not_asked:
        yield "\n## What could not be asked"
        yield from (f"- {_escaped(sentence)}." for sentence in case.not_asked)


def _escaped(words: str) -> str:
    text_ = printable(words)
    for mark in "\\`*_|<>[]":
        text_ = text_.replace(mark, f"\\{mark}")
    return text_

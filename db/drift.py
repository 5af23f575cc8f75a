"""Schema drift: a live schema against the one that the migrations make, difference by difference.

Objects are compared by their SQL without comments, spacing, letter case and the quotes that ALTER TABLE puts around
names. What SQLite, an engine or a replicator makes for itself (`sqlite_…`, `libsql_…`, `_cf_…`, `_litestream_…`, the
tables behind a full-text index) is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from db.helper import Database
from db.sql import unregistered

_WORD: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|\w+|<>|[<>=!]=|\|\||->>|->|\S", re.S)
_COMMENT: Final = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\])|--[^\n]*|/\*.*?\*/", re.S)


def ours(name: str) -> str:
    """SQL that is true of an object's `name` unless SQLite, libSQL, D1 or Litestream made the object for itself."""
    return f"substr({name}, 1, 7) NOT IN ('sqlite_', 'libsql_') AND substr({name}, 1, 1) <> '_'"


OBJECTS: Final = unregistered(f"""
    SELECT type, name, sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND {ours("name")}
      AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
    ORDER BY type, name
""")


class Thing(NamedTuple):
    """A named object of a schema: `kind` is table, index, view or trigger."""

    kind: str
    name: str


Schema = Mapping[Thing, str]
"""Each object's SQL as it was written."""


async def schema_of(db: Database) -> Schema:
    """The objects of a live database."""
    (rows,) = await db.read(OBJECTS())
    return {Thing(row["type"], row["name"]): row["sql"] for row in rows}


def normal(sql: str) -> str:
    """The SQL with one space between its words, in lower case, without comments or needless quotes."""
    bare = _COMMENT.sub(lambda match: match[1] or " ", sql)
    words = []
    for word in _WORD.findall(bare):
        if word[0] == "'":
            words.append(word)
        elif word[0] in '"`[' and re.fullmatch(r"\w+", word[1:-1]):
            words.append(word[1:-1].lower())
        else:
            words.append(word.lower())
    return re.sub(r"\bif not exists ", "", " ".join(words))


def differences(live: Schema, expected: Schema) -> list[str]:
    """What the live schema lacks, has too much, or has otherwise; one sentence each, empty if they agree."""
    found = []
    for thing in sorted(live.keys() | expected.keys()):
        label = f"{thing.kind} {thing.name}"
        if thing not in live:
            found.append(f"missing {label}")
        elif thing not in expected:
            found.append(f"extra {label}")
        elif (has := normal(live[thing])) != (wants := normal(expected[thing])):
            found.append(f"{label} differs: {_detail(has, wants)}")
    return found


def _detail(has: str, wants: str) -> str:
    """What differs within one object: by columns and constraints for a table, else both texts."""
    (before, parts, after), (wants_before, wants_parts, wants_after) = _parts(has), _parts(wants)
    if (before, after) != (wants_before, wants_after) or not (parts and wants_parts):
        return f"is {_short(has)}, should be {_short(wants)}"
    extra = list((Counter(parts) - Counter(wants_parts)).elements())
    missing = list((Counter(wants_parts) - Counter(parts)).elements())
    if not extra and not missing:
        return f"the order is {', '.join(part.split()[0] for part in parts)}"
    told = [f"lacks {_short(part)}" for part in missing] + [f"has {_short(part)}" for part in extra]
    return "; ".join(told)


def _parts(sql: str) -> tuple[str, list[str], str]:
    """A normal `create table x ( a , b ) strict` as its beginning, what stands between its commas, and its end."""
    words = _WORD.findall(sql)
    if words[:2] != ["create", "table"] or "(" not in words:
        return sql, [], ""
    opening = words.index("(")
    depth, part, parts = 0, list[str](), list[str]()
    for position in range(opening, len(words)):
        word = words[position]
        depth += (word == "(") - (word == ")")
        if depth == 0 or (depth == 1 and word == ","):
            parts.append(" ".join(part))
            part = []
            if depth == 0:
                return " ".join(words[:opening]), parts, " ".join(words[position + 1 :])
        elif position > opening:
            part.append(word)
    return sql, [], ""


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else text[:117] + "...")

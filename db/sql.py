"""Named SQL statements, the limits of every engine, and the guard.

A statement is written with `:names` and sent with `?1 ?2` (D1 binds by position only). What passes here passes
on all three engines: one statement per text, at most 100 parameters, less than 100 KB, at most five compound
terms, and no word that opens a transaction, because a write is one batch and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

PARAMETERS_MAX: Final = 100
STATEMENT_BYTES_MAX: Final = 100_000
COMPOUND_TERMS_MAX: Final = 5
VALUE_BYTES_MAX: Final = 2_000_000
INTEGER_MAX: Final = 2**63 - 1

STATEMENTS: Final[list[Sql]] = []

_QUOTED: Final = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/"
_TOKEN: Final = re.compile(_QUOTED + r"|:(?P<name>[a-z_][a-z0-9_]*)", re.S)
_TEXT_OR_COMMENT: Final = re.compile(_QUOTED, re.S)
_FORBIDDEN: Final = re.compile(r"(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ATTACH|DETACH|VACUUM|PRAGMA)\b", re.I)
_READING: Final = re.compile(
    r"(SELECT|VALUES|EXPLAIN|WITH(?!.*\b(INSERT|UPDATE|DELETE|REPLACE\s+INTO)\b))\b", re.I | re.S
)
_UNNAMED: Final = re.compile(r"\?|[@$]\w|:[A-Z0-9]")
_COMPOUND: Final = re.compile(r"\b(UNION|INTERSECT|EXCEPT)\b", re.I)

Value = str | int | float | None


class LimitExceeded(ValueError):
    """A statement or value that not every engine takes. Raised before anything is sent."""


class Statement(NamedTuple):
    """One statement ready to send: its text and its values in the order of `?1 ?2 …`."""

    sql: Sql
    values: tuple[Value, ...]


class Sql:
    """A statement with named parameters; calling it with their values gives a `Statement`.

    `indexes` names what its query plan must use, exactly: an index, or `<table>.pk` for a primary key.
    `tests/contract/test_plans.py` holds every statement to it on a schema without statistics. `writes` is false for
    what may be sent in a read.
    """

    __slots__ = ("indexes", "names", "text", "writes")

    def __init__(self, source: str, *indexes: str, registered: bool = True) -> None:
        names: list[str] = []

        def number(match: re.Match[str]) -> str:
            name = match["name"]
            if name is None:
                return match[0]
            if name not in names:
                names.append(name)
            return f"?{names.index(name) + 1}"

        self.text = _TOKEN.sub(number, source).strip()
        self.names = tuple(names)
        self.indexes = indexes
        bare = _TEXT_OR_COMMENT.sub(_emptied, source).strip()
        _check_text(self.text, bare, len(names))
        self.writes = _READING.match(bare) is None
        if registered:
            STATEMENTS.append(self)

    def __call__(self, **values: Value) -> Statement:
        """The statement with its values. Raises TypeError for a missing, extra or wrongly typed value."""
        names = self.names
        if len(values) != len(names):
            raise TypeError(f"expected {sorted(names)}, got {sorted(values)}")
        try:
            ordered = tuple([values[name] for name in names])
        except KeyError:
            raise TypeError(f"expected {sorted(names)}, got {sorted(values)}") from None
        check_values(ordered)
        return Statement(self, ordered)

    def __repr__(self) -> str:
        return f"Sql({' '.join(self.text.split())[:60]!r})"


def unregistered(source: str) -> Sql:
    """A statement made while running (a migration's, an invariant's): the same limits, no plan to hold it to."""
    return Sql(source, registered=False)


def check_values(values: Iterable[Value]) -> None:
    """Refuse a value that some engine would store as something else. Raises LimitExceeded or TypeError."""
    for value in values:
        if type(value) is str:
            # Each engine cuts a text at NUL in another place, so none with one means the same everywhere.
            if len(value) > VALUE_BYTES_MAX // 4 or "\0" in value or not value.isascii():
                _check_special_text(value)
        elif value is not None and type(value) is not bool:
            _check_number(value)


def guard(condition: str, code: str, detail: str = "''") -> str:
    """SQL that fails the batch with `guard:<code>:<detail>` unless `condition` is true.

    `code` is static text, what a client sees; `detail` is SQL giving a text, usually JSON. It needs no schema, writes
    nothing and leaves `changes()` alone, so guards chain. Verified on SQLite 3.40 to 3.54, sqld and D1.
    """
    if re.fullmatch(r"[a-z_]+", code) is None:
        raise ValueError(f"a guard's code is lower-case words joined by underscores, not {code!r}")
    return (
        f"SELECT CASE WHEN {condition} THEN NULL "
        f"ELSE json_extract('{{}}', 'guard:{code}:' || coalesce({detail}, '')) END"
    )


def _emptied(found: re.Match[str]) -> str:
    return "''" if found[0].startswith("'") else " "


def _check_text(text: str, bare: str, parameters: int) -> None:
    """Raise LimitExceeded for a statement that not every engine takes; `bare` is it without texts and comments."""
    problem = None
    if not bare:
        problem = "an empty statement"
    elif len(text.encode()) >= STATEMENT_BYTES_MAX:
        problem = f"a statement of {len(text.encode())} bytes (less than {STATEMENT_BYTES_MAX})"
    elif parameters > PARAMETERS_MAX:
        problem = f"{parameters} parameters (at most {PARAMETERS_MAX}): send a list as one JSON text"
    elif _UNNAMED.search(bare):
        problem = "an unnamed parameter: write :name"
    elif _FORBIDDEN.match(bare) and not re.match(r"PRAGMA\s+defer_foreign_keys", bare, re.I):
        problem = f"{bare.split()[0].upper()}: a write is one batch, transactions are the helper's"
    elif ";" in bare.rstrip("; \n") and not re.match(r"CREATE\s+TRIGGER", bare, re.I):
        problem = "two statements in one text"
    elif len(_COMPOUND.findall(bare)) >= COMPOUND_TERMS_MAX:
        problem = f"more than {COMPOUND_TERMS_MAX} compound terms"
    if problem:
        raise LimitExceeded(f"not every engine takes {problem}: {' '.join(text.split())[:80]}")


def _check_special_text(value: str) -> None:
    if "\0" in value:
        raise LimitExceeded("a text with a NUL character is cut differently by each engine")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise LimitExceeded("half a surrogate pair is no character, and no text may hold it") from error
    if size > VALUE_BYTES_MAX:
        raise LimitExceeded(f"a value of more than {VALUE_BYTES_MAX} bytes")


def _check_number(value: Any) -> None:
    if type(value) is int:
        if not -INTEGER_MAX - 1 <= value <= INTEGER_MAX:
            raise LimitExceeded(f"{value} does not fit in 64 bits")
    elif type(value) is float:
        if not math.isfinite(value):
            raise LimitExceeded(f"{value} is not a number that every engine keeps")
    else:
        raise TypeError(f"a parameter is a str, int, bool, float or None, not {type(value).__name__}")

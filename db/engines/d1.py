"""Cloudflare D1 through the gateway Worker (`gateway/`), which is shaped like Cloudflare's own REST API.

A batch is one transaction there. Numbers never go bare: D1 binds them as REAL, and they end at 2^53; they travel as
text and are cast by the statement. Integers that come back beyond 2^53 have lost digits on the way and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from db.engines.http import UNREADABLE, Answered, HttpDatabase, Place, address, mapped
from db.engines.trips import Stopwatch
from db.helper import Busy, DatabaseError, Refused, Results, Row, SchemaBehind, TimedOut, Unavailable, Unknown
from db.sql import Sql, Statement, Value, guard

EXACT_MAX: Final = 2**53
BOOKMARK: Final = "x-d1-bookmark"

_SAFE: Final = Sql(
    guard(
        "(SELECT foreign_keys FROM pragma_foreign_keys) = 1"
        " AND (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints) = 0",
        "unsafe_connection",
    ),
    registered=False,
)
_PARAMETER: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\?(?P<number>\d+)", re.S)
_TOKEN: Final = re.compile(r"[0-9a-fA-F-]{1,200}")
_NOT_RUN: Final = ("D1 DB is overloaded", "Too many requests queued", "Cannot resolve D1 DB")
_ROLLED_BACK: Final = re.compile(r"SQLITE_[A-Z_]+(\s*\(extended: \w+\))?\s*$")
"""How SQLite's own word ends. Anything else is Cloudflare's: a reset, a limit, a lost connection. It may have run."""
REFUSED_BY_GATEWAY: Final = 7400


class D1(HttpDatabase):
    """See the module. Replicas are chosen by the bookmark of the session, so there is one place to ask."""

    engine = "d1"

    def _read(self, statements: Sequence[Statement], after: str | None, replica: bool, watch: Stopwatch) -> Results:
        if after and _TOKEN.fullmatch(after):
            try:
                return self._ask("read", statements, after, watch)
            except (Refused, SchemaBehind, TimedOut, Unavailable):
                raise
            except DatabaseError:
                pass  # it may not know the bookmark, which the client can have made up
        return self._ask("read", statements, "first-unconstrained" if replica else "first-primary", watch)

    def _batch(self, statements: Sequence[Statement], watch: Stopwatch) -> Results:
        results = self._ask("batch", [Statement(_SAFE, ()), *statements], "first-primary", watch)
        del results[0]
        return results

    def _ask(self, kind: str, statements: Sequence[Statement], session: str, watch: Stopwatch) -> Results:
        asked = {
            "batch": [{"sql": _text(sql, values), "params": [*map(_written, values)]} for sql, values in statements]
        }
        answer = self._post(self._place, kind, asked, self._timeout_seconds, **{BOOKMARK: session})
        if answer.status not in (200, 400):
            self._refuse_status(self._place, kind, answer)
        try:
            return _results(answer, statements, kind, watch)
        except UNREADABLE as error:
            text = f"{self._place.host} is no D1 gateway: {answer.beginning!r}"
            raise (Unknown(text) if kind == "batch" else DatabaseError(text)) from error


def _results(answer: Answered, statements: Sequence[Statement], kind: str, watch: Stopwatch) -> Results:
    """The rows of each statement. Raises DatabaseError, and UNREADABLE for what is no gateway's answer."""
    told = answer.told()
    if answer.status == 400:
        raise _failure([(one["code"], str(one["message"])) for one in told["errors"]], kind)
    results = Results()
    for (sql, _), one in zip(statements, told["result"], strict=True):
        rows: list[Row] = [dict(row) for row in one["results"]]
        _refuse_inexact(rows, kind)
        results.append(rows)
        watch.lap(sql, one["meta"].get("duration", 0.0) / 1000)
    results.token = answer.headers.get(BOOKMARK) or None
    return results


def _failure(errors: Sequence[tuple[int, str]], kind: str) -> DatabaseError:
    """What the gateway's errors mean. Of a batch only what SQLite itself or the gateway refused is known not to be."""
    message = " ".join(text for _, text in errors)
    found = mapped(message)
    if isinstance(found, Refused) and found.code == "unsafe_connection":
        return Unavailable("D1 does not enforce foreign keys and checks on this connection")
    if type(found) is not DatabaseError:
        return found
    if any(words in message for words in _NOT_RUN):
        return Busy(message)
    if _ROLLED_BACK.search(message) or any(code == REFUSED_BY_GATEWAY for code, _ in errors):
        return found
    return Unknown(message) if kind == "batch" else Busy(message)


def _refuse_inexact(rows: list[Row], kind: str) -> None:
    for row in rows:
        for name, value in row.items():
            if type(value) is int and not -EXACT_MAX < value < EXACT_MAX:
                text = f"D1 tells {name} inexactly, it is beyond 2^53: read it as CAST({name} AS TEXT)"
                raise Unknown(f"kept, but {text}") if kind == "batch" else DatabaseError(text)


def _written(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return repr(value) if isinstance(value, float) else str(int(value))


def _text(sql: Sql, values: Sequence[Value]) -> str:
    kinds = tuple(None if value is None or isinstance(value, str) else type(value) is float for value in values)
    return sql.text if not any(kind is not None for kind in kinds) else _cast(sql.text, kinds)


@lru_cache(maxsize=1_024)
def _cast(text: str, kinds: tuple[bool | None, ...]) -> str:
    """The statement with a cast around each parameter that is a number: `True` for a real one, `False` for a whole one.

    The plus takes away the cast's affinity, which a parameter does not have either.
    """

    def number(match: re.Match[str]) -> str:
        place = match["number"]
        kind = kinds[int(place) - 1] if place else None
        return match[0] if kind is None else f"(+CAST(?{place} AS {'REAL' if kind else 'INTEGER'}))"

    return _PARAMETER.sub(number, text)


def open_database(url: str, *, timeout_ms: int, pool: tuple[int, int], token: str | None) -> D1:
    """The database of `url`, connected at its first use."""
    _, origin, segments = address(url)
    account, database = segments if len(segments) == 2 else ("gateway", segments[0])
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return D1(
        Place(f"{origin}/client/v4/accounts/{account}/d1/database/{database}/query", headers),
        timeout_ms=timeout_ms,
        pool=pool,
    )

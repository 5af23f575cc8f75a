"""Past the helper, straight to the database, for tests: rows in and rows out, on whichever engine the shop is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import httpx
from sqlite_utils import Database as Book

_QUESTION = re.compile(r"'(?:[^']|'')*'|--[^\n]*|\?(\d*)")


class RawError(Exception):
    """What an engine over HTTP refused; its words."""


class Cursor(list[tuple[Any, ...]]):
    """Rows already fetched, asked for as DB-API cursors are."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self)

    def fetchone(self) -> tuple[Any, ...] | None:
        return self[0] if self else None


class Raw(Protocol):
    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement, by itself; a cursor."""
        ...

    def many(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        """Run all, in one round trip; the rows of each."""
        ...

    def insert(self, table: str, values: dict[str, Any]) -> None: ...

    def together(self) -> AbstractContextManager[None]:
        """What is written meanwhile is one transaction."""
        ...

    def close(self) -> None: ...


class FileRaw:
    """A connection of its own to the file. What is not named here is the driver's."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._book = Book(connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def many(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        return [self._connection.execute(sql, values).fetchall() for sql, values in statements]

    def insert(self, table: str, values: dict[str, Any]) -> None:
        self._book.table(table).insert(values)

    @contextmanager
    def together(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


class HttpRaw:
    """What both engines over HTTP share."""

    def __init__(self, client: httpx.Client, url: str, headers: dict[str, str]) -> None:
        self._client, self._url, self._headers = client, url, headers
        self._held: list[tuple[str, Sequence[Any]]] | None = None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Cursor:
        if self._held is not None:
            self._held.append((sql, values))
            return Cursor()
        return Cursor(self.many([(sql, values)])[0])

    def many(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        raise RawError("an engine says how")

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self.execute(sql, row)

    @contextmanager
    def together(self) -> Iterator[None]:
        held = self._held = []
        try:
            yield
        finally:
            self._held = None
        for start in range(0, len(held), 1_000):
            self.many(held[start : start + 1_000])

    def insert(self, table: str, values: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(values))
        self.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def close(self) -> None:
        """The client is everybody's."""

    def _post(self, body: Any) -> Any:
        answer = self._client.post(self._url, json=body, headers=self._headers)
        try:
            return answer.json()
        except json.JSONDecodeError as error:
            raise RawError(answer.text) from error


class LibsqlRaw(HttpRaw):
    def many(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        whole = [("BEGIN", ()), *statements, ("COMMIT", ())] if len(statements) > 1 else statements
        steps = [{"stmt": {"sql": sql, "args": [_hrana(one) for one in values]}} for sql, values in whole]
        [first, _] = self._post({"requests": [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]})[
            "results"
        ]
        if first["type"] != "ok":
            raise RawError(first["error"]["message"])
        told = first["response"]["result"]
        for error in told["step_errors"]:
            if error is not None:
                raise RawError(error["message"])
        results = told["step_results"][1:-1] if len(statements) > 1 else told["step_results"]
        return [[tuple(_plain(one) for one in row) for row in step["rows"]] for step in results]

    def alone(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Run all on one connection, outside of a transaction of ours: a PRAGMA acts, and a BEGIN is theirs."""
        steps = [{"stmt": {"sql": sql, "args": [_hrana(one) for one in values]}} for sql, values in statements]
        told = self._post({"requests": [{"type": "batch", "batch": {"steps": steps}}, {"type": "close"}]})
        for error in told["results"][0]["response"]["result"]["step_errors"]:
            if error is not None:
                raise RawError(error["message"])


class D1Raw(HttpRaw):
    def many(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[tuple[Any, ...]]]:
        batch = [{"sql": _cast(sql, values), "params": [_text(one) for one in values]} for sql, values in statements]
        told = self._post({"batch": batch})
        if not told["success"]:
            raise RawError(told["errors"][0]["message"])
        return [[tuple(row.values()) for row in one["results"]] for one in told["result"]]


def _hrana(value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(int(value))}
    return {"type": "float" if isinstance(value, float) else "text", "value": value}


def _plain(told: dict[str, Any]) -> Any:
    return int(told["value"]) if told["type"] == "integer" else told.get("value")


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(int(value) if isinstance(value, bool) else value)


def _cast(sql: str, values: Sequence[Any]) -> str:
    places = iter(range(1, len(values) + 1))

    def number(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        place = int(match[1] or next(places))
        value = values[place - 1]
        if isinstance(value, int | float):
            return f"CAST(?{place} AS {'REAL' if isinstance(value, float) else 'INTEGER'})"
        return f"?{place}"

    return _QUESTION.sub(number, sql)

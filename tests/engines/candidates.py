"""A database under the contract: its URL, the helper's client for it, and a loop to run it on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from db.helper import Database, Row, connect
from db.sql import unregistered


class Candidate:
    """`db` is the client while `running`; other clients of the same database come from `another`."""

    db: Database

    def __init__(self, engine: str, url: str, token: str, *, serving: bool = False) -> None:
        self.engine, self.url, self.token, self.serving = engine, url, token, serving

    @contextmanager
    def running(self) -> Iterator[None]:
        with asyncio.Runner() as self._runner:
            self.db = self.run(self.connect())
            try:
                yield
            finally:
                self.run(self.db.close())

    def connect(self, url: str | None = None, **options: Any) -> Coroutine[Any, Any, Database]:
        """A client of its own, to be closed by who asked for it."""
        return connect(url or self.url, **{"token": self.token, "serving": self.serving, **options})

    @contextmanager
    def another(self, url: str | None = None, **options: Any) -> Iterator[Database]:
        db = self.run(self.connect(url, **options))
        try:
            yield db
        finally:
            self.run(db.close())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def rows(self, sql: str, **values: Any) -> list[Row]:
        found: list[Row] = self.run(self.db.read(unregistered(sql)(**values)))[0]
        return found

    def one(self, sql: str, **values: Any) -> Any:
        [row] = self.rows(sql, **values)
        [value] = row.values()
        return value

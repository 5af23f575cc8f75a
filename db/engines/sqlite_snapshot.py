"""One snapshot of an SQLite file for as long as it is open, however many reads it takes: a transaction that only reads.

In WAL mode nobody waits for it; the log grows meanwhile, and shrinks at the next checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from db.engines.sqlite import binding, mapped, open_connection, roll_back, run
from db.engines.trips import Stopwatch, checked
from db.helper import DatabaseError, Results
from db.sql import Statement


class SqliteSnapshot:
    """A `Database` that only reads, and blocks its thread: for a command. Raises DatabaseError."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.trips = 0
        self._connection = open_connection(path)
        try:
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # here the snapshot begins
        except binding.Error as error:
            self._connection.close()
            raise mapped(error) from error

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        self.trips += 1
        await asyncio.sleep(0)  # whoever wants to stop the command is heard between two reads
        try:
            return run(self._connection, checked(statements, reading=True), Stopwatch())
        except binding.Error as error:
            raise mapped(error) from error

    async def batch(self, statements: Sequence[Statement]) -> Results:
        raise DatabaseError("a snapshot is only read")

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        roll_back(self._connection)
        self._connection.close()

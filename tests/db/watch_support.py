"""A file that somebody writes to while it is backed up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from db.engines.sqlite import SqliteFile
from db.helper import Results
from db.sql import Statement
from tests.db.backup_support import going, watched_backup

AT = "'2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'"
LATER = "'2999-01-01T00:00:00.000Z'"


class Busy(SqliteFile):
    """A file to which `change` is done before each of its reads, by another connection."""

    change: Callable[[], None] = staticmethod(lambda: None)
    reads = 0

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        self.reads += 1
        self.change()
        return await super().read(*statements)


def busy_backup(path: Path, target: Path, change: Callable[[], None]) -> Busy:
    db = Busy(path, 60_000)
    db.change = change

    async def run() -> None:
        try:
            await watched_backup(db, target)
        finally:
            await db.close()

    going(run())
    return db


def changes(number: int) -> list[str]:
    """All kinds of a change, each time of other rows: new, changed, gone, another key, gone and back, in its order."""
    limit = "INSERT INTO rate_limits (scope, window, count, expires_at, created_at, updated_at) VALUES"
    return [
        f"INSERT INTO users (id, email, created_at, updated_at) VALUES ('u{number}', 'u{number}@example.com', {AT})",
        f"UPDATE users SET status = 'SUSPENDED', email = 'v{number}@example.com' WHERE id = 'u{number - 1}'",
        f"DELETE FROM users WHERE id = 'u{number - 3}'",
        f"UPDATE users SET rowid = -{number}, id = 'w{number}' WHERE id = 'u{number - 2}'",
        "UPDATE inventory SET low_stock_threshold = low_stock_threshold + 1",
        f"{limit} ('x:{number}', '', 1, {LATER}, {AT}), ('y:1', '', {number}, {LATER}, {AT})",
        f"UPDATE rate_limits SET scope = 'z:{number}' WHERE scope = 'x:{number}'",
        "DELETE FROM rate_limits WHERE scope = 'y:1'",
        "INSERT INTO analytics_events (id, event_type, timestamp, created_at) "
        f"VALUES ('e{number}', 'a', '2026-01-0{number % 9 + 1}T00:00:00.000Z', '2026-01-01T00:00:00.000Z')",
    ]

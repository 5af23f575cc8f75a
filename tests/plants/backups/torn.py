"""A planted defect: a backup that takes pages which it read one after the other for one moment.

In a quiet shop its file is as good as the real one's; `tests/faults/backup_drill.py --backup tests.plants.backups.torn`
finds it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cli.main import main
from db import backup
from db.backup_watch import Watched
from db.engines.sqlite import open_connection
from db.engines.sqlite_snapshot import SqliteSnapshot


class EachForItself(SqliteSnapshot):
    """A file without the transaction that holds the moment: each page is of its own."""

    def __init__(self, path: Path) -> None:
        self.trips = 0
        self._connection = open_connection(path)


async def settled(self: Watched) -> None:
    """What changed since the pages were read is not looked at."""
    self.taken_at = "2026-01-01T00:00:00.000Z"


if __name__ == "__main__":
    vars(backup)["SqliteSnapshot"] = EachForItself
    Watched.settle = settled  # type: ignore[method-assign]
    sys.exit(main())

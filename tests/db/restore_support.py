"""What the restore tests share: what a target holds afterwards, and what refuses and leaves it as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from db.backup_tables import BackupError
from db.helper import Database
from db.migrate import MigrationError, Migrations
from db.restore import restore
from tests.db.backup_support import (
    backed_up,
    members,
    quiet,
    restored,
    tables,
)
from tests.db.migration_support import state, validate


def holds_the_same(path: Path, backup: Path) -> None:
    again = path.with_name("again.zip")
    again.unlink(missing_ok=True)
    backed_up(path, again)
    assert members(again) == members(backup)
    assert validate(path) == []


def refused_unchanged(path: Path, file: Path, told: str, **options: Any) -> str:
    """A restore into `path` is refused with these words, and nothing of it changes."""
    before = state(path) if path.exists() else None
    with pytest.raises((BackupError, MigrationError), match=told) as caught:
        restored(f"sqlite:///{path}", file, **options)
    if before is not None:
        assert state(path) == before
    elif path.exists():
        assert tables(path) == set()
    return str(caught.value)


async def restored_by(db: Database, file: Path, **options: Any) -> None:
    try:
        await restore(db, file, Migrations(), quiet, **options)
    finally:
        await db.close()

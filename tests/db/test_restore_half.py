"""A restore that ended half-way, or whose answers were lost: nobody is served from it, and it is done again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from db import restore_target
from db.backup_tables import BackupError
from db.engines.sqlite import SqliteFile
from db.helper import Database, Results
from db.migrate import MigrationError, Migrations
from db.restore import check, restore
from db.sql import Statement
from tests.db.backup_support import (
    Lossy,
    backed_up,
    copied,
    edited,
    going,
    members,
    quiet,
    restored,
    using,
)
from tests.db.migration_support import execute, rows, state, up, validate
from tests.db.restore_support import holds_the_same, refused_unchanged, restored_by


@pytest.fixture
def backup(lively_backup: Path, tmp_path: Path) -> Path:
    """Of a shop with a row in every table."""
    return copied(lively_backup, tmp_path / "shop.zip")


def target(tmp_path: Path) -> tuple[str, Path]:
    return f"sqlite:///{tmp_path}/new.db", tmp_path / "new.db"


@pytest.fixture
def half(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """A database whose restore stopped somewhere in the middle."""
    url, path = target(tmp_path)
    put = restore_target.Target.put

    async def stopping(self: restore_target.Target, statements: Sequence[Statement]) -> None:
        await put(self, statements)
        if "restoring_variants" in statements[0].sql.text:
            raise KeyboardInterrupt

    monkeypatch.setattr(restore_target.Target, "put", stopping)
    with pytest.raises(KeyboardInterrupt):
        going(restored_by(SqliteFile(path, 60_000), backup))
    monkeypatch.setattr(restore_target.Target, "put", put)
    assert rows(path, "SELECT count(*) > 0 FROM restoring_variants") == [(1,)]
    return url, path


def test_half_a_restore_is_not_touched_unasked(half: tuple[str, Path], backup: Path) -> None:
    refused_unchanged(half[1], backup, "has not finished; nobody is served from it.*--again")


def test_half_a_restore_is_done_again(half: tuple[str, Path], backup: Path) -> None:
    restored(half[0], backup, again=True)
    holds_the_same(half[1], backup)


def test_other_tables_beside_half_a_restore_are_kept(half: tuple[str, Path], backup: Path) -> None:
    execute(half[1], "CREATE TABLE theirs (a TEXT)")
    refused_unchanged(half[1], backup, "there are other tables: theirs", again=True)


def test_half_a_restore_is_no_shop_to_the_other_commands(half: tuple[str, Path], tmp_path: Path) -> None:
    url, path = half
    before = state(path)
    for work in (
        lambda: up(path),
        lambda: validate(path),
        lambda: using(url, lambda db: Migrations().down(db, 0, True)),
        lambda: backed_up(path, tmp_path / "half.zip"),
    ):
        with pytest.raises(MigrationError, match="is being restored, or a restore ended early"):
            work()
    assert state(path) == before
    going(Migrations().reset(url))
    assert validate(path) == []


def test_a_restore_that_was_replaced_stops(half: tuple[str, Path], backup: Path, tmp_path: Path) -> None:
    """Goal: of two restores into one database, one wins. Method: `--again` while the first is under way."""
    path = half[1]
    replaced: list[str] = []

    class Slow(SqliteFile):
        async def batch(self, statements: Sequence[Statement]) -> Results:
            if 'INSERT INTO "restoring_products"' in statements[2].sql.text and not replaced:
                replaced.append("yes")
                await restored_by(SqliteFile(path, 60_000), backup, again=True)
            return await super().batch(statements)

    with pytest.raises(BackupError, match="another restore, or another program, changed the database meanwhile"):
        going(restored_by(Slow(path, 60_000), backup, again=True))
    assert replaced == ["yes"]
    holds_the_same(path, backup)


@pytest.mark.parametrize("every", [1, 2, 3])
def test_answers_that_are_lost_do_no_harm(backup: Path, tmp_path: Path, every: int) -> None:
    """Nothing is inserted twice, and nothing left out. 1: not one answer arrives."""
    url, path = target(tmp_path)

    async def work(db: Database) -> int:
        lossy = Unheard(db, every) if every == 1 else Lossy(db, every)
        await restore(lossy, backup, Migrations(), quiet)
        return lossy.lost

    assert using(url, work) > 10
    holds_the_same(path, backup)


class Unheard(Lossy):
    """Loses no answer of the dry runs, which are refused and change nothing."""

    async def batch(self, statements: Sequence[Statement]) -> Results:
        if "dry_run" in statements[-1].sql.text:
            return await self._db.batch(statements)
        return await super().batch(statements)


def test_the_check_reads_a_file_without_a_database(backup: Path, tmp_path: Path) -> None:
    assert check(backup, quiet).rows == sum(len(content.splitlines()) for content in members(backup).values())
    with pytest.raises(BackupError):
        check(edited(backup, tmp_path / "edited.zip", users=lambda content: b""), quiet)

"""A backup by triggers: one moment of a database that changes while it is read, or no backup.

On a file here, by the very calls that go to libSQL and D1; tests/engines/test_backup.py asks those.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db import backup_watch
from db.backup_spool import Spool
from db.backup_tables import BackupError, tables_of
from db.backup_watch import Watched
from db.helper import Database, DatabaseError, Results, Unavailable, connect
from db.migrate import Migrations
from db.sql import Statement
from tests.db.backup_support import Lossy, backed_up, going, lively, members, tables, using, watched_backup
from tests.db.migration_support import execute, rows, schema, validate
from tests.db.watch_support import AT, Busy, busy_backup, changes
from tests.shop import Shop

PAGES = 20
"""A read of a nearly empty shop's pages: before it the triggers are up, and the reads that catch up come later."""


def no_trace(path: Path) -> None:
    """The schema is as the migrations make it: no trigger or table of a backup is left."""
    assert validate(path) == []


def test_a_quiet_shop_is_told_as_it_is(shop: Shop, tmp_path: Path) -> None:
    lively(shop)
    before = schema(shop.path)
    manifest = using(shop.url, lambda db: watched_backup(db, tmp_path / "watched.zip"))
    plain = backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")
    assert manifest.content_sha256 == plain.content_sha256
    assert schema(shop.path) == before


def test_what_was_read_stands_in_a_file_without_a_name(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nothing of it is left when the backup is killed, and it need not fit into memory."""
    folder = tmp_path / "backups"
    folder.mkdir()
    made: list[str] = []
    seen: set[str] = set()
    mkstemp = tempfile.mkstemp

    def noted(**options: Any) -> tuple[int, str]:
        number, path = mkstemp(**options)
        made.append(path)
        return number, path

    monkeypatch.setattr(tempfile, "mkstemp", noted)
    busy_backup(shop.path, folder / "shop.zip", lambda: seen.update(one.name for one in folder.iterdir()))
    assert [Path(path).parent for path in made] == [folder]
    assert len(seen) == 1 and seen.pop().endswith(".partial")


@pytest.mark.parametrize("until", [5, 20, 41, 42])
def test_every_change_at_every_moment_is_in_it(shop: Shop, tmp_path: Path, until: int) -> None:
    """Method: change rows of every kind before each of the first reads; the end must be what a snapshot then says.

    5 and 20 end within the tables, 41 and 42 with the two reads that catch up.
    """
    lively(shop)
    counted = itertools.count(1)

    def change() -> None:
        if (number := next(counted)) <= until:
            execute(shop.path, *changes(number))

    db = busy_backup(shop.path, tmp_path / "watched.zip", change)
    assert db.reads >= until, "it ended before the changes did"
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")
    no_trace(shop.path)


def test_without_catching_up_it_would_be_torn(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted defect: the test above must find a backup that takes its pages for a snapshot."""

    async def settled(self: Watched) -> None:
        self.taken_at = "2026-01-01T00:00:00.000Z"

    monkeypatch.setattr(Watched, "settle", settled)
    counted = itertools.count(1)
    busy_backup(shop.path, tmp_path / "watched.zip", lambda: execute(shop.path, *changes(next(counted))))
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") != members(tmp_path / "plain.zip")


def test_many_changes_are_caught_up_in_several_reads(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_watch, "CHANGES_A_READ", 7)
    counted = itertools.count(1)

    def change() -> None:
        if (number := next(counted)) <= 38:
            execute(shop.path, *changes(number))

    db = busy_backup(shop.path, tmp_path / "watched.zip", change)
    assert db.reads > 70
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")


def test_an_answer_that_is_too_long_is_asked_for_in_halves(shop: Shop, tmp_path: Path) -> None:
    class Short(Busy):
        refused = 0

        async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
            found = await super().read(*statements)
            if "backup_changes" in statements[0].sql.text and sum(len(one) for one in found[2:]) > 57:
                self.refused += 1
                raise DatabaseError("RESPONSE_TOO_LARGE")
            return found

    counted = itertools.count(1)

    def change() -> None:
        if (number := next(counted)) <= 38:
            execute(shop.path, *changes(number))

    db = Short(shop.path, 60_000)
    db.change = change
    going(_and_close(db, tmp_path / "watched.zip"))
    assert db.refused > 3
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")


async def _and_close(db: Database, target: Path) -> None:
    try:
        await watched_backup(db, target)
    finally:
        await db.close()


def refused(shop: Shop, tmp_path: Path, told: str, change: Callable[[int], None]) -> None:
    """A backup to which `change` is done before each read fails with these words, and leaves nothing behind."""
    folder = tmp_path / "backups"
    folder.mkdir()
    counted = itertools.count(1)
    with pytest.raises(BackupError, match=told):
        busy_backup(shop.path, folder / "shop.zip", lambda: change(next(counted)))
    assert list(folder.iterdir()) == []


def test_a_shop_that_never_rests_has_no_file(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_watch, "CHANGES_A_READ", 2)
    monkeypatch.setattr(backup_watch, "CATCH_UP_SECONDS_MAX", 0.5)
    refused(shop, tmp_path, "changes faster than it can be read", lambda number: execute(shop.path, *changes(number)))
    no_trace(shop.path)


def test_a_row_that_was_replaced_past_the_triggers_is_noticed(shop: Shop, tmp_path: Path) -> None:
    execute(shop.path, *changes(1))

    def change(number: int) -> None:
        if number == PAGES:
            execute(
                shop.path,
                "INSERT OR REPLACE INTO users (id, email, created_at, updated_at) "
                f"VALUES ('another', 'u1@example.com', {AT})",
            )

    refused(shop, tmp_path, "users has 1 rows and 2 were read: something wrote past the triggers", change)
    no_trace(shop.path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX mine ON users (status)",
        "DROP INDEX users_email_once",
        "ALTER TABLE users ADD COLUMN more TEXT",
        "DROP TRIGGER backup_users_update",
    ],
)
def test_a_schema_that_changes_meanwhile_is_noticed(shop: Shop, tmp_path: Path, statement: str) -> None:
    def change(number: int) -> None:
        if number == PAGES:
            execute(shop.path, statement)

    refused(shop, tmp_path, "the schema changed while the backup ran", change)
    assert [name for (name,) in rows(shop.path, "SELECT name FROM sqlite_schema") if name.startswith("backup_")] == []


def test_a_migration_that_comes_first_is_noticed(shop: Shop, tmp_path: Path) -> None:
    def change(number: int) -> None:
        if number == 4:
            execute(shop.path, "DELETE FROM migrations WHERE version = (SELECT max(version) FROM migrations)")

    refused(shop, tmp_path, "a migration runs at the same time", change)


def test_a_lease_that_ran_out_is_noticed(shop: Shop, tmp_path: Path) -> None:
    """The database stood still for ten minutes, so the triggers did nothing for a while."""

    def change(number: int) -> None:
        if number == PAGES:
            execute(shop.path, "UPDATE backup_lease SET until = '2026-01-01T00:00:00.000Z'", *changes(1))
            assert rows(shop.path, "SELECT * FROM backup_changes") == []

    refused(shop, tmp_path, "the backup's lease ran out", change)
    no_trace(shop.path)


def test_the_lease_is_renewed_and_its_loss_noticed_early(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_watch, "RENEWAL_SECONDS", 0.0)
    lively(shop)
    ends: list[str] = []

    def change(number: int) -> None:
        if 10 < number <= 20:
            time.sleep(0.002)
            ends.append(rows(shop.path, "SELECT until FROM backup_lease")[0][0])
        if number == 21:
            execute(shop.path, "DELETE FROM backup_lease")

    refused(shop, tmp_path, "the backup's lease ran out", change)
    assert ends == sorted(set(ends)) and len(ends) == 10


def test_a_second_backup_at_once_is_refused_and_does_not_disturb(shop: Shop, tmp_path: Path) -> None:
    lively(shop)
    second: list[str] = []

    def change() -> None:
        if len(second) < 3:

            def run() -> None:
                loop = asyncio.new_event_loop()
                try:
                    with pytest.raises(BackupError, match="another backup of this database runs") as caught:
                        loop.run_until_complete(_second(shop.url, tmp_path / "second.zip"))
                    second.append(str(caught.value))
                finally:
                    loop.close()

            if "backup_lease" in tables(shop.path):
                _in_a_thread(run)
                execute(shop.path, *changes(len(second)))

    busy_backup(shop.path, tmp_path / "watched.zip", change)
    assert len(second) == 3 and not (tmp_path / "second.zip").exists()
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")
    no_trace(shop.path)


async def _second(url: str, target: Path) -> None:
    db = await connect(url)
    try:
        await watched_backup(db, target)
    finally:
        await db.close()


def _in_a_thread(work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def test_a_backup_that_is_stopped_takes_its_triggers_down(shop: Shop, tmp_path: Path) -> None:
    counted = itertools.count(1)

    def change() -> None:
        if next(counted) == PAGES:
            assert {"backup_lease", "backup_changes"} <= tables(shop.path)
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    with pytest.raises(asyncio.CancelledError):
        busy_backup(shop.path, tmp_path / "stopped.zip", change)
    assert not (tmp_path / "stopped.zip").exists()
    no_trace(shop.path)


@pytest.fixture
def killed(shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose backup was killed: its triggers are still there."""

    async def begun() -> None:
        db = await connect(shop.url)
        try:
            with closing(Spool([], tmp_path)) as spool:
                await Watched(db, list((await tables_of(db)).values()), Migrations().latest, spool).begin()
        finally:
            await db.close()

    going(begun())
    assert {"backup_lease", "backup_changes"} <= tables(shop.path)
    yield shop


def test_what_a_killed_backup_left_notes_nothing_after_its_lease(killed: Shop, tmp_path: Path) -> None:
    execute(killed.path, *changes(1))
    assert rows(killed.path, "SELECT count(*) > 5 FROM backup_changes") == [(1,)]
    assert killed.order({killed.variant(): 1})["status"] == "PENDING"
    with pytest.raises(BackupError, match="another backup of this database runs"):
        using(killed.url, lambda db: watched_backup(db, tmp_path / "shop.zip"))
    execute(killed.path, "UPDATE backup_lease SET until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
    before = rows(killed.path, "SELECT max(id) FROM backup_changes")
    execute(killed.path, *changes(2))
    assert killed.order({killed.variant(): 1})["status"] == "PENDING"
    assert rows(killed.path, "SELECT max(id) FROM backup_changes") == before
    # And the next backup takes it away.
    using(killed.url, lambda db: watched_backup(db, tmp_path / "shop.zip"))
    backed_up(killed.path, tmp_path / "plain.zip")
    assert members(tmp_path / "shop.zip") == members(tmp_path / "plain.zip")
    no_trace(killed.path)


def test_guards_that_count_changes_still_work_under_watch(killed: Shop) -> None:
    """A trigger's own writes must not be taken for the statement's."""
    variant = killed.variant(stock=1)
    assert killed.order({variant: 1})["status"] == "PENDING"
    reply = killed.post("/checkout", killed.checkout_body({variant: 1}), idempotency_key="short")
    assert (reply.status, reply.body["code"]) == (409, "insufficient_stock")
    killed.checked()


@pytest.mark.parametrize("every", [2, 3])
def test_answers_that_are_lost_do_no_harm(
    shop: Shop, tmp_path: Path, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_watch, "RENEWAL_SECONDS", 0.0)
    lively(shop)

    async def work(db: Database) -> int:
        lossy = Lossy(db, every)
        await watched_backup(lossy, tmp_path / "watched.zip")
        return lossy.lost

    assert using(shop.url, work) > 2
    backed_up(shop.path, tmp_path / "plain.zip")
    assert members(tmp_path / "watched.zip") == members(tmp_path / "plain.zip")
    no_trace(shop.path)


def test_an_engine_that_goes_away_is_told_by_its_first_error(shop: Shop, tmp_path: Path) -> None:
    class Away(Busy):
        async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
            if self.reads > PAGES:
                raise Unavailable("the engine is away")
            return await super().read(*statements)

        async def batch(self, statements: Any) -> Results:
            if self.reads > PAGES:
                raise Unavailable("the engine is still away")
            return await super().batch(statements)

    db = Away(shop.path, 60_000)
    with pytest.raises(Unavailable, match="the engine is away"):
        going(_and_close(db, tmp_path / "shop.zip"))
    assert not (tmp_path / "shop.zip").exists()

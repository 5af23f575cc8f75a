"""The corners of a serving process: SQLite that undoes a whole group by itself, deadlines that passed long ago, callers
that go away, a close in the middle, and connections that are opened late.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from db.engines import sqlite, sqlite_serving
from db.engines.sqlite import open_connection
from db.engines.sqlite_serving import SqliteServing
from db.helper import TimedOut, Unavailable, Unknown
from db.sql import Statement, unregistered
from tests.db.engine_support import (
    COUNT,
    FOREVER,
    PIECE,
    SHELF,
    WRITE_FOREVER,
    Run,
    locked,
    made,
    one,
    opened,
    rows,
    shelf,
)

LONG = unregistered(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT max(i) AS i FROM n"
)


@contextmanager
def grouping(folder: Path, **options: Any) -> Iterator[tuple[SqliteServing, Run]]:
    """A serving database with others in work, so that no batch commits in place."""
    with opened(folder, serving=True, **options) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = 2
        yield db, run


async def together(db: SqliteServing, *batches: list[Statement]) -> list[Any]:
    """All at once, hence in one group; rows or the exception of each."""
    return await asyncio.gather(*[db.batch(batch) for batch in batches], return_exceptions=True)


def ids(db: SqliteServing, run: Run) -> list[str]:
    return [row["id"] for row in rows(db, run, "SELECT id FROM shelves ORDER BY id")]


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("endless", [FOREVER, WRITE_FOREVER], ids=["read", "write"])
@pytest.mark.parametrize("steps", [1, sqlite.TICK_STEPS])
def test_a_time_out_hurts_nobody_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, endless: Any, position: int
) -> None:
    """An interrupted write makes SQLite undo the whole group, so that the others go again; an interrupted read does
    not. With a look at the clock after each step even ROLLBACK is interrupted.
    """
    monkeypatch.setattr(sqlite, "TICK_STEPS", steps)
    batches = [[shelf("a")], [shelf("b")]]
    batches.insert(position, [shelf("slow"), endless()])
    with grouping(tmp_path, timeout_ms=60) as (db, run):
        found = run(together(db, *batches))
        assert isinstance(found.pop(position), TimedOut)
        assert found == [[[]], [[]]]
        assert ids(db, run) == ["shelf-a", "shelf-b"]


@pytest.mark.parametrize("position", range(3))
def test_who_fills_the_disk_is_refused_alone(tmp_path: Path, position: int) -> None:
    """A full disk makes SQLite undo the whole group, too. Here the file has the greatest size that it may have."""
    batches = [[shelf("a")], [shelf("b")]]
    batches.insert(position, [shelf("big"), SHELF(id="x", name="x" * 200_000)])
    with grouping(tmp_path) as (db, run):
        run(db.health())
        pages = db._writer.execute("PRAGMA page_count").fetchone()[0]
        db._writer.execute(f"PRAGMA max_page_count = {pages + 4}")
        found = run(together(db, *batches))
        assert isinstance(found.pop(position), Unavailable)
        assert found == [[[]], [[]]]
        assert ids(db, run) == ["shelf-a", "shelf-b"]
        db._writer.execute("PRAGMA max_page_count = 1000000")
        assert run(db.batch([SHELF(id="x", name="x" * 200_000)])) == [[]]


@pytest.mark.parametrize("position", range(3))
def test_what_the_driver_itself_refuses_hurts_nobody_else(tmp_path: Path, position: int) -> None:
    batches = [[shelf("a")], [shelf("b")]]
    batches.insert(position, [shelf("first"), Statement(SHELF, ("x", "\ud800"))])  # past the check of values
    with grouping(tmp_path) as (db, run):
        found = run(together(db, *batches))
        assert isinstance(found.pop(position), UnicodeEncodeError)
        assert found == [[[]], [[]]]
        assert ids(db, run) == ["shelf-a", "shelf-b"]


@pytest.mark.parametrize("live", [1, 2])
def test_a_quiet_hour_is_no_time_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: int) -> None:
    """The deadline of the batch before has passed long ago, and SQLite may look at the clock in BEGIN, too."""
    monkeypatch.setattr(sqlite, "TICK_STEPS", 1)
    with grouping(tmp_path, timeout_ms=60) as (db, run):
        db.live = live
        for number in range(3):
            assert run(together(db, [shelf(number)], [shelf(number + 10)])) == [[[]], [[]]]
            run(asyncio.sleep(0.08))
        assert one(db, run, COUNT.text) == 6


@pytest.mark.parametrize("serving", [False, True])
def test_a_commit_past_its_deadline_is_not_told_to_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serving: bool
) -> None:
    """SQLite may say "interrupted" when the COMMIT is done. A slow disk: here the clock jumps as it begins."""
    moved = 0.0

    def jump(text: str) -> None:
        nonlocal moved
        moved += 10 if text == "COMMIT" else 0

    def watched(path: Path, **known: Any) -> Any:
        connection = open_connection(path, **known)
        connection.set_trace_callback(jump)
        return connection

    for module in (sqlite, sqlite_serving):
        monkeypatch.setattr(module, "open_connection", watched)
    monkeypatch.setattr(sqlite, "TICK_STEPS", 1)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + moved, perf_counter=time.perf_counter)
    monkeypatch.setattr(sqlite, "time", clock)
    with opened(tmp_path, serving=serving, timeout_ms=5_000) as (db, run):
        with pytest.raises(Unknown, match="interrupted"):
            run(db.batch([shelf(1)]))
        assert moved == 10
        assert one(db, run, COUNT.text) in (0, 1)


def test_a_commit_that_waits_for_its_thread_is_no_time_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TICK_STEPS", 1)
    with grouping(tmp_path, timeout_ms=60) as (db, run):
        run(db.health())
        db._commits.put(lambda: time.sleep(0.1))
        assert run(together(db, [shelf(1)], [shelf(2)])) == [[[]], [[]]]
        assert one(db, run, COUNT.text) == 2


def test_who_goes_away_while_another_process_has_the_lock_wants_nothing(tmp_path: Path) -> None:
    async def use(db: SqliteServing, release: Callable[[], None]) -> list[Any]:
        tasks = [asyncio.create_task(db.batch([shelf(name)])) for name in ("a", "gone", "b")]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        tasks[1].cancel()
        await asyncio.sleep(0)
        release()
        return await asyncio.gather(*tasks, return_exceptions=True)

    with grouping(tmp_path) as (db, run):
        with locked(made(tmp_path)) as release:
            found = run(use(db, release))
        assert found[0] == found[2] == [[]]
        assert isinstance(found[1], asyncio.CancelledError)
        assert ids(db, run) == ["shelf-a", "shelf-b"]


def test_a_long_read_is_one_snapshot(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        reading = asyncio.create_task(db.read(COUNT(), LONG(), COUNT()))
        written = 0
        while not reading.done():
            await db.batch([shelf(written)])
            written += 1
        [[first], _, [last]] = await reading
        assert first == last
        assert written > first["n"]

    with grouping(tmp_path) as (db, run):
        run(use(db))


def test_a_long_read_that_goes_away_gives_its_thread_back(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        reads = [asyncio.create_task(db.read(FOREVER())) for _ in range(4)]
        await asyncio.sleep(0.05)
        for read in reads:
            read.cancel()
        await asyncio.wait(reads)

    with grouping(tmp_path, timeout_ms=200, pool=(1, 2)) as (db, run):
        run(use(db))
        assert len(db._idle) == 2
        with pytest.raises(TimedOut):
            run(db.read(FOREVER()))


def test_a_long_read_that_takes_too_long_stops_no_writer(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        reads = [asyncio.create_task(db.read(COUNT(), FOREVER())) for _ in range(5)]
        await asyncio.sleep(0)
        for number in range(10):
            await db.batch([shelf(number)])
            [[row]] = await db.read(COUNT())
            assert row["n"] == number + 1
        assert not any(read.done() for read in reads)
        assert [type(found) for found in await asyncio.gather(*reads, return_exceptions=True)] == [TimedOut] * 5

    with grouping(tmp_path, timeout_ms=700, pool=(1, 5)) as (db, run):
        run(use(db))
        assert sum(thread.is_open for thread in db._idle) == 1


def test_what_comes_while_it_closes_is_served(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        await db.batch([shelf("first")])
        closing_down = asyncio.create_task(db.close())
        tasks: list[asyncio.Task[Any]] = []
        while not closing_down.done():
            tasks.append(asyncio.create_task(db.batch([shelf(len(tasks))])))
            tasks.append(asyncio.create_task(db.read(COUNT())))
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*tasks, closing_down), 20)
        [[row]] = await db.read(COUNT())
        assert row["n"] == len(tasks) // 2 + 1 > 1

    with grouping(tmp_path) as (db, run):
        run(use(db))


def test_close_waits_for_the_last_group(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> list[Any]:
        await db.health()
        db._commits.put(lambda: time.sleep(0.05))
        tasks = [asyncio.create_task(db.batch([shelf(number)])) for number in range(150)]
        await asyncio.sleep(0)
        await db.close()
        return await asyncio.wait_for(asyncio.gather(*tasks), 10)

    with grouping(tmp_path) as (db, run):
        assert run(use(db)) == [[[]]] * 150
        assert one(db, run, COUNT.text) == 150


def test_a_long_read_that_comes_while_it_closes_is_served(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        first = asyncio.create_task(db.read(LONG()))
        await asyncio.sleep(0)
        closing_down = asyncio.create_task(db.close())
        await asyncio.sleep(0)
        others = [asyncio.create_task(db.read(LONG())) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in (first, closing_down, *others))
        found = await asyncio.wait_for(asyncio.gather(first, *others), 20)
        assert found == [[[{"i": 200_000}]]] * 4
        await closing_down

    before = set(threading.enumerate())
    with grouping(tmp_path, pool=(1, 2)) as (db, run):
        run(use(db))
    assert [thread for thread in set(threading.enumerate()) - before if "asyncio" not in thread.name] == []


def test_a_loop_that_ends_lets_go_of_the_lock_at_once(tmp_path: Path) -> None:
    async def use(db: SqliteServing) -> None:
        tasks = [asyncio.create_task(db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=1)]))]
        await asyncio.sleep(0)  # it gets in line
        await asyncio.sleep(0)  # and is written, but for the COMMIT
        assert len(tasks) == 1

    with grouping(tmp_path) as (db, run):
        for _ in range(10):
            run(db.health())
            with asyncio.Runner() as ending:
                ending.run(use(db))
            assert not db._writer.in_transaction
            with closing(open_connection(made(tmp_path), busy_seconds=0)) as other:
                other.execute("BEGIN IMMEDIATE")
                assert other.execute(COUNT.text).fetchone()[0] in (0, 2)
                other.execute("DELETE FROM pieces")
                other.execute("DELETE FROM shelves")
                other.execute("COMMIT")


def test_every_connection_enforces_foreign_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's, the reader's, the pool's, the checkpointer's: each is asked to break one when it is opened."""
    proved: list[str] = []

    def opening(path: Path, **known: Any) -> Any:
        connection = open_connection(path, **known)
        connection.execute("PRAGMA busy_timeout = 5000")
        with pytest.raises(sqlite.binding.IntegrityError, match="FOREIGN KEY"):
            connection.execute(PIECE.text, ("x", "none", 1))
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        proved.append(threading.current_thread().name)
        return connection

    async def use(db: SqliteServing) -> None:
        await asyncio.gather(*[db.read(LONG()) for _ in range(2)])
        for number in range(400):
            await db.batch([shelf(number)])
            await asyncio.sleep(0.005)
            if "tallystick-checkpoint" in proved:
                return

    for module in (sqlite, sqlite_serving):
        monkeypatch.setattr(module, "open_connection", opening)
    monkeypatch.setattr(sqlite_serving, "LOG_PAGES_SOFT", 0)
    monkeypatch.setattr(sqlite_serving, "CHECKPOINT_SECONDS", 0.02)
    with grouping(tmp_path) as (db, run):
        run(use(db))
        assert proved.count("MainThread") == 2
        assert proved.count("tallystick-checkpoint") == 1
        assert len(proved) == 5
        assert run(db.health()) is True


def test_its_threads_end_with_it(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with grouping(tmp_path, timeout_ms=100) as (db, run):
        run(db.batch([shelf(1)]))
        with pytest.raises(TimedOut):
            run(db.read(FOREVER()))
        names = {thread.name for thread in set(threading.enumerate()) - before}
        assert {"tallystick-commit", "tallystick-checkpoint"} <= names
    left = [thread for thread in set(threading.enumerate()) - before if "asyncio" not in thread.name]
    assert left == []


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_gone_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """What would be acknowledged into a file without a name is lost with the process."""
    monkeypatch.setattr(sqlite_serving, "CHECKPOINT_SECONDS", 0.01)
    with opened(tmp_path, serving=True) as (db, run):
        run(db.batch([shelf(1)]))
        path = tmp_path / "shop.db"
        if how == "replaced":
            copy = tmp_path / "copy.db"
            copy.write_bytes(path.read_bytes())
            copy.rename(path)
        else:
            path.unlink()
        with pytest.raises(Unavailable):
            run(db.health())
        with pytest.raises(Unavailable, match="removed or replaced"):
            run(db.batch([shelf(2)]))
        with pytest.raises(Unavailable, match="removed or replaced"):
            run(db.read(COUNT()))

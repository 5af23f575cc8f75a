"""One process that serves many: commits are shared but failures are not, long reads disturb nobody, nothing waits on
the loop, and the log stays short.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.engines import sqlite_serving
from db.engines.sqlite import LOG_BYTES_KEPT, open_connection
from db.engines.sqlite_serving import GROUP_MAX, SHORT_READ_STEPS, SqliteServing
from db.helper import Conflict, Refused, Results, SchemaBehind, TimedOut, Unknown
from db.sql import unregistered
from tests.db.engine_support import (
    COUNT,
    FOREVER,
    NEVER,
    PIECE,
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
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT :steps) SELECT max(i) AS n FROM n"
)
DEFER = unregistered("PRAGMA defer_foreign_keys = ON")
FAT = unregistered("INSERT INTO history (what) SELECT hex(randomblob(:bytes / 2))")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[SqliteServing, Run]]:
    """A database in a process with many requests in work."""
    with opened(tmp_path, serving=True) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = 100
        yield db, run


async def _together(db: SqliteServing, *batches: Any) -> list[Any]:
    return await asyncio.gather(*[db.batch(batch) for batch in batches], return_exceptions=True)


def _commits(db: SqliteServing, run: Run) -> list[str]:
    """The COMMITs of the writer from now on."""
    run(db.health())
    seen: list[str] = []
    db._writer.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    return seen


def test_many_share_a_commit(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    commits = _commits(db, run)
    run(_together(db, *[[shelf(number)] for number in range(200)]))
    assert one(db, run, COUNT.text) == 200
    assert len(commits) == -(-200 // GROUP_MAX)


def test_one_alone_commits_in_place(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    db.live = 1
    commits = _commits(db, run)

    async def straight() -> bool:
        waiting = db.batch([shelf(1)])
        try:
            waiting.send(None)  # not once does it wait for anything
        except StopIteration:
            return True
        return False

    assert run(straight())
    assert commits == ["COMMIT"]


@pytest.mark.parametrize("position", [0, 3, 6])
def test_a_refused_batch_is_undone_alone(serving: tuple[SqliteServing, Run], position: int) -> None:
    db, run = serving
    batches: list[Any] = [[shelf(number)] for number in range(6)]
    batches.insert(position, [shelf("refused"), NEVER()])
    results = run(_together(db, *batches))
    assert isinstance(results.pop(position), Refused)
    assert results == [[[]]] * 6
    assert one(db, run, COUNT.text) == 6


def test_every_kind_of_failure_in_one_group(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    results = run(
        _together(
            db,
            [shelf(1)],
            [shelf(2), NEVER()],
            [shelf(2), shelf(1)],
            [PIECE(id="a", shelf_id="none", count=1)],
            [PIECE(id="a", shelf_id="shelf-1", count=-1)],
            [shelf(2), unregistered("SELECT * FROM nowhere")()],
            [PIECE(id="a", shelf_id="shelf-1", count=1), COUNT()],
        )
    )
    assert [type(one) for one in results] == [Results, Refused, *[Conflict] * 3, SchemaBehind, Results]
    assert [result.kind for result in results[2:5]] == ["unique", "foreign_key", "check"]
    assert results[-1] == [[], [{"n": 2}]]


def test_a_group_of_refused_ones_writes_nothing(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    commits = _commits(db, run)
    results = run(_together(db, *[[shelf(number), NEVER()] for number in range(5)]))
    assert {type(result) for result in results} == {Refused}
    assert commits == []
    run(db.batch([shelf(1)]))


@pytest.mark.parametrize("endless", [FOREVER, WRITE_FOREVER])
def test_a_time_out_hurts_nobody_else(tmp_path: Path, endless: Any) -> None:
    with opened(tmp_path, serving=True, timeout_ms=200) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = 100
        batches = [[shelf(number)] for number in range(4)]
        results = run(_together(db, *batches[:2], [shelf("endless"), endless()], *batches[2:]))
        assert isinstance(results.pop(2), TimedOut)
        assert results == [[[]]] * 4
        assert one(db, run, COUNT.text) == 4


def test_a_deferred_foreign_key_is_its_own_affair(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    results = run(
        _together(
            db,
            [shelf(1)],
            [DEFER(), PIECE(id="a", shelf_id="none", count=1)],
            [shelf(2)],
            [DEFER(), PIECE(id="b", shelf_id="shelf-3", count=1), shelf(3)],
            [shelf(4)],
        )
    )
    assert [type(one) for one in results] == [Results, Conflict, *[Results] * 3]
    assert one(db, run, COUNT.text) == 5


def test_who_goes_away_while_waiting_writes_nothing(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving

    async def leave() -> None:
        tasks = [asyncio.create_task(db.batch([shelf(number)])) for number in range(6)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(leave())
    assert [row["id"] for row in rows(db, run, "SELECT id FROM shelves ORDER BY id")] == [
        "shelf-1", "shelf-3", "shelf-5",
    ]  # fmt: skip
    run(db.batch([shelf("after")]))


def test_who_goes_away_during_the_commit_leaves_the_others_alone(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving

    async def leave() -> list[Any]:
        await db.health()
        let_commit = threading.Event()

        def pause() -> None:
            assert let_commit.wait(10)

        db._commits.put(pause)
        tasks = [asyncio.create_task(db.batch([shelf(number)])) for number in range(6)]
        while not db._writer.in_transaction:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        tasks[0].cancel()
        let_commit.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = run(leave())
    assert [type(one) for one in results] == [asyncio.CancelledError, *[Results] * 5]
    assert one(db, run, COUNT.text) == 6


def test_a_loop_that_ends_leaves_no_lock_behind(tmp_path: Path) -> None:
    async def begin(db: SqliteServing) -> None:
        db.live = 100
        tasks = [asyncio.create_task(db.batch([shelf(number)])) for number in range(40)]
        await asyncio.sleep(0.001)
        assert len(tasks) == 40

    async def go_on(db: SqliteServing) -> None:
        await db.batch([shelf("after")])
        await db.close()

    db = SqliteServing(made(tmp_path), 10_000, (1, 2))
    asyncio.run(begin(db))  # cancels what is still at work
    asyncio.run(go_on(db))
    with closing(open_connection(made(tmp_path))) as connection:
        assert connection.execute("SELECT count(*) FROM shelves WHERE id = 'shelf-after'").fetchone()[0] == 1


def test_a_defect_is_told_to_all_who_wait(serving: tuple[SqliteServing, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    db, run = serving
    monkeypatch.setattr(db, "_run_group", lambda group: 1 / 0)

    async def fail() -> list[Any]:
        results = await _together(db, [shelf(1)], [shelf(2)])
        while db._writing is not None:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        return results

    handled: list[Any] = []

    async def catching() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: handled.append(context))
        return await fail()

    assert {type(result) for result in run(catching())} == {Unknown}
    monkeypatch.undo()
    run(db.batch([shelf(3)]))
    assert one(db, run, COUNT.text) == 1


def test_closing_waits_for_what_is_written(tmp_path: Path) -> None:
    with opened(tmp_path, serving=True) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = 100

        async def close_at_once() -> list[Any]:
            tasks = [asyncio.create_task(db.batch([shelf(number)])) for number in range(150)]
            tasks.append(asyncio.create_task(db.read(LONG(steps=400_000))))
            await asyncio.sleep(0)
            await db.close()
            assert all(task.done() for task in tasks)
            return [await task for task in tasks]

        run(close_at_once())
        assert not Path(f"{made(tmp_path)}-wal").exists()
        assert one(db, run, COUNT.text) == 150


def test_long_reads_stall_neither_writers_nor_the_loop(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving

    async def beside() -> tuple[int, float]:
        reads = [asyncio.create_task(db.read(LONG(steps=2_000_000))) for _ in range(3)]
        written, longest, last = 0, 0.0, time.monotonic()
        await asyncio.sleep(0)
        while not all(read.done() for read in reads):
            await db.batch([shelf(written)])
            written, now = written + 1, time.monotonic()
            longest, last = max(longest, now - last), now
        assert [read.result() for read in reads] == [[[{"n": 2_000_000}]]] * 3
        return written, longest

    written, longest = run(beside())
    assert written > 20
    assert longest < 0.5


def test_short_reads_need_no_thread(serving: tuple[SqliteServing, Run]) -> None:
    db, run = serving
    short = LONG(steps=SHORT_READ_STEPS // 40)

    async def read() -> None:
        for _ in range(300):
            await db.read(short, COUNT())

    run(read())
    assert not any(thread.is_open for thread in db._idle)
    run(db.read(LONG(steps=SHORT_READ_STEPS)))
    assert any(thread.is_open for thread in db._idle)


def test_threads_for_long_reads_are_bounded_and_closed_again(tmp_path: Path) -> None:
    with opened(tmp_path, serving=True, pool=(1, 3)) as (db, run):
        assert isinstance(db, SqliteServing)

        async def rush() -> int:
            reads = [asyncio.create_task(db.read(LONG(steps=200_000))) for _ in range(12)]
            most = 0
            while not all(read.done() for read in reads):
                await asyncio.sleep(0.002)
                most = max(most, 3 - len(db._idle))
            await asyncio.gather(*reads)
            return most

        assert run(rush()) == 3
        assert sum(thread.is_open for thread in db._idle) == 1
        assert len(db._idle) == 3


@pytest.mark.parametrize("live", [1, 100])
def test_a_lock_of_another_process_stops_nobody_but_writers(tmp_path: Path, live: int) -> None:
    with opened(tmp_path, serving=True) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = live

        async def go_on(release: Any) -> tuple[list[Any], int]:
            writes = [asyncio.create_task(db.batch([shelf(number)])) for number in range(10)]
            reads = 0
            until = time.monotonic() + 0.25
            while time.monotonic() < until:
                await db.read(COUNT())
                await asyncio.sleep(0)
                reads += 1
            assert not any(write.done() for write in writes)
            release()
            return await asyncio.gather(*writes), reads

        with locked(made(tmp_path)) as release:
            results, reads = run(go_on(release))
        assert results == [[[]]] * 10
        assert reads > 20


@pytest.mark.parametrize("live", [1, 8])
def test_the_log_stays_short(tmp_path: Path, live: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_serving, "CHECKPOINT_SECONDS", 0.02)
    log = Path(f"{made(tmp_path)}-wal")
    with opened(tmp_path, serving=True) as (db, run):
        assert isinstance(db, SqliteServing)
        db.live = live
        sizes: list[int] = []

        async def write(part: int) -> None:
            for _ in range(400 // live):
                await db.batch([FAT(bytes=200_000)])
                sizes.append(log.stat().st_size)  # noqa: ASYNC240 - it takes no time

        async def rush() -> None:
            await asyncio.gather(*[write(part) for part in range(live)])

        run(rush())  # 80 MB
        assert max(sizes) < 60_000_000

        async def rest() -> None:
            await asyncio.sleep(0.3)
            for _ in range(3):
                await db.batch([FAT(bytes=200)])

        run(rest())
        assert log.stat().st_size <= LOG_BYTES_KEPT


def test_a_long_read_elsewhere_only_delays_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_serving, "CHECKPOINT_SECONDS", 0.02)
    log = Path(f"{made(tmp_path)}-wal")
    with opened(tmp_path, serving=True) as (db, run):
        run(db.batch([FAT(bytes=200)]))
        with closing(open_connection(made(tmp_path))) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM history").fetchall()

            async def rush() -> None:
                for _ in range(200):
                    await db.batch([FAT(bytes=200_000)])

            run(rush())
            assert log.stat().st_size > LOG_BYTES_KEPT
            other.execute("ROLLBACK")

        async def rest() -> None:
            await asyncio.sleep(0.3)
            for _ in range(3):
                await db.batch([FAT(bytes=200)])

        run(rest())
        assert log.stat().st_size <= LOG_BYTES_KEPT


def test_keeps_no_file_open_after_close(tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    if not files.exists():
        files = Path("/dev/fd")
    before = len(list(files.iterdir()))
    with opened(tmp_path, serving=True) as (db, run):
        run(db.batch([shelf(1)]))
        run(db.read(LONG(steps=400_000)))
    assert len(list(files.iterdir())) <= before

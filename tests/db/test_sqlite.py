"""The contract of the helper on a file, alike for a handler's database and a serving one: all or nothing, guards,
constraints, one snapshot, every value as it was, and errors that mean something.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.engines import sqlite
from db.engines.sqlite import open_connection
from db.helper import (
    Busy,
    Database,
    TimedOut,
)
from db.sql import unregistered
from tests.db.engine_support import (
    COUNT,
    FOREVER,
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


@pytest.fixture(params=["handler", "serving"])
def serving(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "serving")


@pytest.fixture
def using(tmp_path: Path, serving: bool) -> Iterator[tuple[Database, Run]]:
    with opened(tmp_path, serving=serving) as both:
        yield both


def test_a_read_is_one_snapshot(tmp_path: Path, serving: bool) -> None:
    with opened(tmp_path, serving=serving) as (db, run):
        run(db.batch([shelf(1), *[PIECE(id=name, shelf_id="shelf-1", count=1_000) for name in "ab"]]))
        ended = threading.Event()

        def move() -> None:
            with closing(open_connection(made(tmp_path))) as other:
                while not ended.is_set():
                    other.execute("BEGIN IMMEDIATE")
                    other.execute("UPDATE pieces SET count = count - 1 WHERE id = 'a' AND count > 0")
                    other.execute("UPDATE pieces SET count = count + changes() WHERE id = 'b'")
                    other.execute("COMMIT")

        mover = threading.Thread(target=move)
        mover.start()
        try:
            left, right = (unregistered(f"SELECT count FROM pieces WHERE id = '{name}'") for name in "ab")
            pairs, until = [run(db.read(left(), right()))], time.monotonic() + 20
            while len(pairs) < 300 or (pairs[0] == pairs[-1] and time.monotonic() < until):
                pairs.append(run(db.read(left(), right())))
        finally:
            ended.set()
            mover.join()
    assert {a["count"] + b["count"] for [[a], [b]] in pairs} == {2_000}
    assert len({a["count"] for [[a], [_]] in pairs}) > 1, "nobody wrote meanwhile"


def test_is_busy_when_another_process_holds_the_lock(
    tmp_path: Path, serving: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite", "sqlite_serving"):
        monkeypatch.setattr(f"db.engines.{module}.CONNECT_SECONDS", 0.4)
    monkeypatch.setattr(sqlite.open_connection, "__kwdefaults__", {"busy_seconds": 0.4, "any_thread": False})
    with opened(tmp_path, serving=serving) as (db, run):
        run(db.batch([shelf(1)]))
        with locked(made(tmp_path)):
            began = time.monotonic()
            ticks = run(_ticking(db))
            assert 0.3 < time.monotonic() - began < 5  # the usual patience
            assert ticks > 5, "the loop stood still"
            assert one(db, run, COUNT.text) == 1  # reads go on
        run(db.batch([shelf(2)]))
        assert [row["id"] for row in rows(db, run, "SELECT id FROM shelves ORDER BY id")] == ["shelf-1", "shelf-2"]


async def _ticking(db: Database) -> int:
    """How often the loop came round while a batch waited in vain."""
    ticks = 0
    waiting = asyncio.create_task(db.batch([shelf("never")]))
    while not waiting.done():
        await asyncio.sleep(0.005)
        ticks += 1
    with pytest.raises(Busy):
        await waiting
    return ticks


def test_waits_for_a_lock_that_is_let_go(tmp_path: Path, serving: bool) -> None:
    with opened(tmp_path, serving=serving) as (db, run), locked(made(tmp_path)) as release:
        threading.Timer(0.3, release).start()
        run(db.batch([shelf(1)]))
        assert one(db, run, COUNT.text) == 1


@pytest.mark.parametrize("trip", ["read", "batch", "write"])
def test_stops_what_takes_too_long_and_goes_on(tmp_path: Path, serving: bool, trip: str) -> None:
    with opened(tmp_path, serving=serving, timeout_ms=150) as (db, run):
        began = time.monotonic()
        calls: dict[str, Callable[[], Any]] = {
            "read": lambda: db.read(COUNT(), FOREVER()),
            "batch": lambda: db.batch([shelf(1), FOREVER()]),
            "write": lambda: db.batch([shelf(1), WRITE_FOREVER()]),
        }
        with pytest.raises(TimedOut):
            run(calls[trip]())
        assert time.monotonic() - began < 9  # the usual time-out is 10 s
        assert one(db, run, COUNT.text) == 0
        run(db.batch([shelf(1)]))
        assert one(db, run, COUNT.text) == 1


def test_enforces_foreign_keys_and_can_prove_it(using: tuple[Database, Run]) -> None:
    db, run = using
    assert run(db.health()) is True
    for connection in _connections(db, run):
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert connection.execute("PRAGMA ignore_check_constraints").fetchone()[0] == 0
        assert connection.execute("PRAGMA writable_schema").fetchone()[0] == 0
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def _connections(db: Any, run: Run) -> list[Any]:
    """Every connection of the database that this thread may use, after a check of those that it may not."""
    if not hasattr(db, "_idle"):
        return []

    async def long_reads() -> list[Any]:
        reading = unregistered(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) "
            "SELECT max(i), (SELECT foreign_keys FROM pragma_foreign_keys) AS enforced FROM n"
        )
        return [row for [[row]] in await asyncio.gather(*[db.read(reading()) for _ in range(4)])]

    assert [row["enforced"] for row in run(long_reads())] == [1] * 4
    assert any(one.is_open for one in db._idle), "no read was long"
    return [db._writer, db._reader]


def test_one_hop_carries_a_whole_trip(tmp_path: Path) -> None:
    """aiosqlite's private `_execute`, called once for a read and once for a batch: its version is pinned for that."""
    import aiosqlite

    assert aiosqlite.__version__ == "0.22.1"
    with opened(tmp_path) as (db, run):
        run(db.batch([shelf(0)]))
        connection = db._thread._connection  # type: ignore[attr-defined]
        hops, execute = [], connection._execute

        async def counted(*arguments: Any) -> Any:
            hops.append(arguments)
            return await execute(*arguments)

        connection._execute = counted
        run(db.batch([shelf(number) for number in range(1, 100)]))
        run(db.read(*[COUNT()] * 20))
        assert len(hops) == 2


def test_opens_once_for_many_at_once_and_again_after_close(tmp_path: Path, serving: bool) -> None:
    async def all_at_once(db: Database) -> None:
        await asyncio.gather(*[db.batch([shelf(number)]) for number in range(20)])

    with opened(tmp_path, serving=serving) as (db, run):
        run(all_at_once(db))
        run(db.close())
        run(db.close())
        assert one(db, run, COUNT.text) == 20

"""The contract of the helper on a file, alike for a handler's database and a serving one: all or nothing, guards,
constraints, one snapshot, every value as it was, and errors that mean something.
"""

from __future__ import annotations

import asyncio
import json
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
    Conflict,
    Database,
    DatabaseError,
    Refused,
    TimedOut,
    Trip,
    observers,
)
from db.sql import guard, unregistered
from tests.db.engine_support import (
    COUNT,
    FOREVER,
    NEVER,
    PIECE,
    WRITE_FOREVER,
    WRITTEN,
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


def test_answers_the_rows_of_every_statement(using: tuple[Database, Run]) -> None:
    db, run = using
    returning = unregistered("INSERT INTO shelves (id, name) VALUES (:id, :name) RETURNING id, length(name) AS long")
    found = run(db.batch([shelf(1), returning(id="shelf-2", name="Two"), COUNT()]))
    assert found == [[], [{"id": "shelf-2", "long": 3}], [{"n": 2}]]
    assert run(db.read(COUNT(), unregistered("SELECT id FROM shelves ORDER BY id")())) == [
        [{"n": 2}],
        [{"id": "shelf-1"}, {"id": "shelf-2"}],
    ]
    assert (db.engine, db.trips) == ("sqlite", 2)


@pytest.mark.parametrize("position", range(6))
def test_keeps_all_or_nothing_wherever_it_fails(using: tuple[Database, Run], position: int) -> None:
    db, run = using
    statements = [shelf(number) for number in range(5)]
    statements.insert(position, NEVER())
    with pytest.raises(Refused):
        run(db.batch(statements))
    assert one(db, run, COUNT.text) == 0
    run(db.batch([shelf(number) for number in range(5)]))
    assert one(db, run, COUNT.text) == 5


def test_keeps_nothing_when_the_commit_fails(using: tuple[Database, Run]) -> None:
    db, run = using
    defer = unregistered("PRAGMA defer_foreign_keys = ON")()
    with pytest.raises(Conflict) as caught:
        run(db.batch([defer, shelf(1), PIECE(id="a", shelf_id="none", count=1)]))
    assert caught.value.kind == "foreign_key"
    assert one(db, run, COUNT.text) == 0
    run(db.batch([defer, PIECE(id="a", shelf_id="shelf-1", count=1), shelf(1)]))
    assert one(db, run, COUNT.text) == 2
    with pytest.raises(Conflict):  # it was deferred for that batch only
        run(db.batch([PIECE(id="b", shelf_id="shelf-2", count=1), shelf(2)]))


@pytest.mark.parametrize(
    "detail",
    ["", "plain", 'it\'s "so"', "'", "''", "a\nb\r\n", "Ünï ✓ 😀", '{"lines": [1]}', "guard:other:x", "x" * 100_000],
)
def test_tells_a_guard_s_code_and_detail(using: tuple[Database, Run], detail: str) -> None:
    db, run = using
    speaking = unregistered(guard("0", "spoken_here", ":detail"))
    with pytest.raises(Refused) as caught:
        run(db.batch([shelf(1), speaking(detail=detail)]))
    assert (caught.value.code, caught.value.detail) == ("spoken_here", detail)
    assert one(db, run, COUNT.text) == 0


def test_a_guard_without_a_detail_has_an_empty_one(using: tuple[Database, Run]) -> None:
    db, run = using
    with pytest.raises(Refused) as caught:
        run(db.batch([unregistered(guard("NULL", "silent", "NULL"))()]))
    assert (caught.value.code, caught.value.detail) == ("silent", "")


def test_guards_leave_the_count_of_changes_alone(using: tuple[Database, Run]) -> None:
    db, run = using
    run(db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=5), PIECE(id="b", shelf_id="shelf-1", count=1)]))
    take = unregistered("UPDATE pieces SET count = count - 2 WHERE count >= 2")()
    fine, taken = unregistered(guard("1", "fine"))(), unregistered(guard("changes() = 2", "not_all", "changes()"))()
    with pytest.raises(Refused) as caught:
        run(db.batch([take, fine, fine, taken]))
    assert (caught.value.code, caught.value.detail) == ("not_all", "1")
    assert [row["count"] for row in rows(db, run, "SELECT count FROM pieces ORDER BY id")] == [5, 1]


@pytest.mark.parametrize(
    ("sql", "kind", "what"),
    [
        ("INSERT INTO shelves VALUES ('shelf-1', 'Other')", "unique", "shelves.id"),
        ("INSERT INTO shelves VALUES ('shelf-2', 'SHELF 1')", "unique", "shelves_name_once"),
        ("INSERT INTO shelves VALUES ('shelf-2', '')", "check", "shelves_name_not_empty"),
        ("UPDATE pieces SET count = count - 2", "check", "pieces_count_not_negative"),
        ("INSERT INTO shelves VALUES ('shelf-2', NULL)", "not_null", "shelves.name"),
        ("INSERT INTO pieces VALUES ('b', 'none', 1)", "foreign_key", ""),
        ("DELETE FROM shelves", "foreign_key", ""),
        (
            "INSERT INTO pieces VALUES ('b', 'shelf-1', 'x')",
            "type",
            "cannot store TEXT value in INTEGER column pieces.count",
        ),
        ("INSERT INTO history VALUES ('x', 'y')", "type", "datatype mismatch"),
        ("UPDATE history SET what = 'z'", "trigger", "history_append_only"),
        ("DELETE FROM history", "trigger", "history_deletion_refused"),
    ],
)
def test_maps_each_kind_of_constraint(using: tuple[Database, Run], sql: str, kind: str, what: str) -> None:
    db, run = using
    run(db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=1), WRITTEN(what="begun")]))
    with pytest.raises(Conflict) as caught:
        run(db.batch([shelf(9), unregistered(sql)()]))
    assert (caught.value.kind, caught.value.what) == (kind, what)
    assert one(db, run, COUNT.text) == 2


def test_says_what_is_wrong_with_the_sql(using: tuple[Database, Run]) -> None:
    db, run = using
    for sql in ("SELECT * FROM nowhere", "SELEC 1"):
        with pytest.raises(DatabaseError, match=r"no such table|syntax error"):
            run(db.batch([shelf(1), unregistered(sql)()]))
    assert one(db, run, COUNT.text) == 0


def test_a_read_changes_nothing(using: tuple[Database, Run]) -> None:
    db, run = using
    for statements in ([shelf(1)], [COUNT(), shelf(1)], [unregistered("WITH a AS (SELECT 1) DELETE FROM shelves")()]):
        with pytest.raises(ValueError, match="a read changes nothing"):
            run(db.read(*statements))
    assert one(db, run, COUNT.text) == 0


def test_refuses_too_few_and_too_many_statements(using: tuple[Database, Run]) -> None:
    db, run = using
    for statements in ([], [COUNT()] * 1_001):
        with pytest.raises(ValueError, match="1 to 1000 statements"):
            run(db.batch(statements))
        with pytest.raises(ValueError, match="1 to 1000 statements"):
            run(db.read(*statements))


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        2**53 + 1,
        2**63 - 1,
        -(2**63),
        0.1,
        -1e300,
        5e-324,
        "",
        "123",
        "1.0",
        "é ✓ 😀",
        "a'b\"c\n\\",
        "\u2028",
        None,
    ],
)
def test_values_come_back_as_they_went(using: tuple[Database, Run], value: Any) -> None:
    db, run = using
    [row] = rows(db, run, "SELECT :value AS value, typeof(:value) AS type", value=value)
    assert row["value"] == value
    assert type(row["value"]) is type(value)
    [row] = rows(db, run, "SELECT value ->> '$.x' AS value FROM json_each(:list)", list=json.dumps([{"x": value}]))
    assert row["value"] == value


def test_a_boolean_is_0_or_1(using: tuple[Database, Run]) -> None:
    db, run = using
    assert rows(db, run, "SELECT :yes AS yes, :no AS no, typeof(:yes) AS type", yes=True, no=False) == [
        {"yes": 1, "no": 0, "type": "integer"}
    ]


def test_a_thousand_lines_travel_as_one_text(using: tuple[Database, Run]) -> None:
    db, run = using
    lines = json.dumps([{"id": f"piece-{number}", "count": number} for number in range(1_000)])
    add = unregistered("INSERT INTO pieces SELECT value ->> 'id', 'shelf-1', value ->> 'count' FROM json_each(:lines)")
    run(db.batch([shelf(1), add(lines=lines)]))
    assert rows(db, run, "SELECT count(*) AS n, sum(count) AS sum FROM pieces") == [{"n": 1_000, "sum": 499_500}]


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
            assert 0.3 < time.monotonic() - began < 3
            assert ticks > 20, "the loop stood still"
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
        assert time.monotonic() - began < 3
        assert one(db, run, COUNT.text) == 0
        run(db.batch([shelf(1)]))
        assert one(db, run, COUNT.text) == 1


def test_tells_observers_of_every_trip(using: tuple[Database, Run]) -> None:
    db, run = using
    trips: list[Trip] = []
    observers.append(trips.append)
    try:
        slow = unregistered(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT max(i) FROM n"
        )
        run(db.read(COUNT(), slow()))
        with pytest.raises(Refused):
            run(db.batch([shelf(1), NEVER(), shelf(2)]))
    finally:
        observers.remove(trips.append)
    read, batch = trips
    assert (read.kind, read.engine, read.statements, read.error) == ("read", "sqlite", 2, None)
    assert read.slowest is not None and read.slowest.text == slow.text
    assert 0 < read.slowest_seconds <= read.seconds
    assert (batch.kind, batch.statements, batch.error) == ("batch", 3, "Refused")


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

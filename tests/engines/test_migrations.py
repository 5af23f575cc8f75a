"""The migration runner on every engine: the same schema, whole versions, rows that survive a rebuilt table.

A version is one batch, so on a server it is one request: the runner is cut off before and after each of its requests,
and the server itself is killed while it works.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from db import drift
from db.helper import Database
from db.migrate import MigrationError, Migrations
from db.sql import unregistered
from proof.proxy import Message, Proxy
from tests.db.migration_support import write
from tests.engines.candidates import Candidate
from tests.engines.homes import D1Homes, LibsqlHomes
from tools.engines import D1Server, Sqld

ROWS = 5_000
KILLS = 6
NUMBERS = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {ROWS})"
REBUILT = """
PRAGMA defer_foreign_keys = ON;
CREATE TABLE shelves_aside AS SELECT * FROM shelves;
DROP TABLE shelves;
CREATE TABLE shelves (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL CONSTRAINT shelves_name_once UNIQUE {check}
) STRICT;
INSERT INTO shelves (id, name) SELECT id, name FROM shelves_aside;
DROP TABLE shelves_aside;
CREATE INDEX shelves_by_name ON shelves (name);
CREATE TRIGGER shelves_deletion_refused BEFORE DELETE ON shelves
BEGIN SELECT RAISE(ABORT, 'shelves_deletion_refused: it is kept'); END;
"""
MIGRATIONS: dict[str, tuple[str, str]] = {
    "0001_shelves.sql": (
        f"CREATE TABLE shelves (id TEXT PRIMARY KEY, name TEXT NOT NULL CONSTRAINT shelves_name_once UNIQUE) STRICT;\n"
        "CREATE INDEX shelves_by_name ON shelves (name);\n"
        "CREATE TABLE pieces (id TEXT PRIMARY KEY, shelf_id TEXT NOT NULL REFERENCES shelves (id)) STRICT;\n"
        "CREATE INDEX pieces_by_shelf ON pieces (shelf_id);\n"
        f"INSERT INTO shelves {NUMBERS} SELECT 's' || i, 'Shelf ' || i FROM n;\n"
        f"INSERT INTO pieces {NUMBERS} SELECT 'p' || i, 's' || i FROM n;\n",
        "DROP TABLE pieces;\nDROP TABLE shelves;\n",
    ),
    "0002_names.sql": (
        REBUILT.format(check="CONSTRAINT shelves_name_not_empty CHECK (name <> '')"),
        "DROP TRIGGER shelves_deletion_refused;\n" + REBUILT.format(check="").rpartition("CREATE TRIGGER")[0],
    ),
}
COUNTS = unregistered(
    "SELECT (SELECT count(*) FROM shelves) AS shelves, (SELECT count(*) FROM pieces) AS pieces,"
    " (SELECT count(*) FROM pieces JOIN shelves ON shelves.id = pieces.shelf_id) AS joined,"
    " (SELECT count(*) FROM sqlite_schema WHERE name = 'shelves_aside') AS aside,"
    " (SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%shelves_name_not_empty%') AS checked,"
    " (SELECT count(*) FROM sqlite_schema WHERE name IN ('shelves_by_name', 'shelves_deletion_refused')) AS others,"
    " (SELECT max(version) FROM migrations) AS version"
)


@pytest.fixture(params=["handler", "libsql", "d1"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Candidate]:
    """An empty database on each engine."""
    if request.param == "handler":
        made = Candidate("sqlite", f"sqlite:///{tmp_path}/empty.db", "")
    else:
        homes: LibsqlHomes | D1Homes = request.getfixturevalue(request.param)
        made = Candidate(request.param, homes.empty(), homes.token)
    with made.running():
        yield made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Migrations:
    return Migrations(write(tmp_path_factory.mktemp("migrations"), MIGRATIONS))


def whole(candidate: Candidate) -> int:
    """The version, after a look at everything that it must have."""
    [[found]] = candidate.run(candidate.db.read(COUNTS()))
    version: int = found.pop("version")
    rebuilt = int(version == 2)
    assert found == {
        "shelves": ROWS, "pieces": ROWS, "joined": ROWS, "aside": 0, "checked": rebuilt, "others": 1 + rebuilt,
    }  # fmt: skip
    return version


def test_every_engine_has_the_schema_of_the_file(empty: Candidate) -> None:
    migrations = Migrations()
    report = empty.run(migrations.up(empty.db))
    assert (report.version, len(report.steps)) == (migrations.latest, migrations.latest)
    live = empty.run(drift.schema_of(empty.db))
    assert drift.differences(live, empty.run(migrations.schema_at(migrations.latest))) == []
    assert empty.run(migrations.validate(empty.db)) == []
    assert empty.run(migrations.up(empty.db)).steps == ()


def test_all_the_way_down_and_up_again_is_the_same(empty: Candidate) -> None:
    migrations = Migrations()
    empty.run(migrations.up(empty.db))
    before = empty.run(drift.schema_of(empty.db))
    for version in range(migrations.latest - 1, -1, -1):
        empty.run(migrations.down(empty.db, version, lose_data=True))
        live = empty.run(drift.schema_of(empty.db))
        live = {thing: sql for thing, sql in live.items() if thing.name != "migrations"}
        expected = empty.run(migrations.schema_at(version))
        assert drift.differences(live, {one: sql for one, sql in expected.items() if one.name != "migrations"}) == []
    empty.run(migrations.up(empty.db))
    assert drift.differences(empty.run(drift.schema_of(empty.db)), before) == []


def test_two_runners_at_once_apply_each_version_once(empty: Candidate) -> None:
    migrations = Migrations()

    async def both(other: Database) -> None:
        await asyncio.gather(migrations.up(empty.db), migrations.up(other))

    with empty.another() as other:
        empty.run(both(other))
    rows = empty.rows("SELECT version FROM migrations ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, migrations.latest + 1))
    assert empty.run(migrations.validate(empty.db)) == []


def test_a_rebuilt_table_with_children_keeps_every_row(empty: Candidate, small: Migrations) -> None:
    empty.run(small.up(empty.db, to=1))
    assert whole(empty) == 1
    empty.run(small.up(empty.db))
    assert whole(empty) == 2
    empty.run(small.down(empty.db, 1))
    assert whole(empty) == 1
    empty.run(small.up(empty.db))
    assert whole(empty) == 2
    assert empty.run(small.validate(empty.db)) == []


def test_a_rebuild_that_breaks_a_reference_changes_nothing(empty: Candidate, tmp_path: Path) -> None:
    broken = REBUILT.format(check="").replace("FROM shelves_aside;", "FROM shelves_aside WHERE id <> 's7';")
    migrations = Migrations(write(tmp_path / "broken", {**MIGRATIONS, "0002_names.sql": (broken, "SELECT 1;\n")}))
    empty.run(migrations.up(empty.db, to=1))
    with pytest.raises(MigrationError, match=r"0002_names\.sql.*foreign_key"):
        empty.run(migrations.up(empty.db))
    assert whole(empty) == 1


@pytest.mark.parametrize("engine", ["libsql", "d1"])
@pytest.mark.parametrize("kind", ["cut", "drop_answer"])
def test_a_runner_that_ends_at_any_request_leaves_whole_versions(
    request: pytest.FixtureRequest, small: Migrations, engine: str, kind: Any
) -> None:
    """The k-th request is the last: it never arrives, or its answer does not. Another runner then goes on."""
    homes: LibsqlHomes | D1Homes = request.getfixturevalue(engine)
    for last in range(1, 20):
        candidate = Candidate(engine, homes.empty(), homes.token)
        with candidate.running(), Proxy(candidate.url) as proxy:
            proxy.fault(kind, when=partial(_is_last, proxy, last))
            with candidate.another(proxy.url) as doomed:
                finished = candidate.run(_until_lost(small, doomed, proxy, last))
            versions = candidate.rows("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'migrations'")
            if versions[0]["n"]:
                assert candidate.one("SELECT coalesce(max(version), 0) FROM migrations") == 0 or whole(candidate) > 0
            candidate.run(small.up(candidate.db))
            assert whole(candidate) == 2
        if finished:
            return
    raise AssertionError("the runner never came to its end")


def _is_last(proxy: Proxy, last: int, _: Message) -> bool:
    return len(proxy.requests) >= last


async def _until_lost(migrations: Migrations, db: Database, proxy: Proxy, last: int) -> bool:
    """Go up until the `last` request was sent; then the runner is ended. Whether it came to its end before."""
    going = asyncio.create_task(migrations.up(db))
    while not going.done() and len(proxy.requests) < last:  # noqa: ASYNC110 - the proxy has no event
        await asyncio.sleep(0.002)
    if not going.done():
        await asyncio.sleep(0.05)
    if going.done():
        return going.exception() is None and len(proxy.requests) < last
    going.cancel()
    return False


class Mortal:
    """A server of its own that may be killed."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.server = Sqld(folder) if engine == "libsql" else D1Server(folder, *[f"shop{n}" for n in range(KILLS)])
        self.server.start()
        self.process = self.server.primary if isinstance(self.server, Sqld) else self.server.process

    def empty(self, number: int) -> str:
        name = f"shop{number}"
        return self.server.create(name) if isinstance(self.server, Sqld) else self.server.url(name)


@pytest.mark.parametrize("engine", ["libsql", "d1"])
def test_a_server_killed_while_it_rebuilds_keeps_every_row(engine: str, small: Migrations, tmp_path: Path) -> None:
    mortal, ends, seconds = Mortal(engine, tmp_path), [], 0.01
    try:
        for number in range(KILLS):
            ends.append(_killed(mortal, engine, number, small, seconds))
            # After a kill that came too late the next one comes sooner, on a machine of any speed.
            seconds = seconds + 0.02 if ends[-1] == 1 else seconds / 4
    finally:
        mortal.server.stop()
    assert set(ends) <= {1, 2}
    assert 1 in ends, "no kill came in time"


def _killed(mortal: Mortal, engine: str, number: int, small: Migrations, seconds: float) -> int:
    """Kill the server so long after the runner of version 2 was started; the version found afterwards."""
    candidate = Candidate(engine, mortal.empty(number), mortal.server.token)

    async def up_and_kill() -> None:
        going = asyncio.create_task(small.up(candidate.db))
        await asyncio.sleep(seconds)
        await asyncio.to_thread(mortal.process.kill)
        going.cancel()  # it would wait for the server and go on
        await asyncio.wait([going])

    with candidate.running():
        candidate.run(small.up(candidate.db, to=1))
        candidate.run(up_and_kill())
        mortal.process.start()
        version = whole(candidate)
        candidate.run(small.up(candidate.db))
        assert whole(candidate) == 2
        return version

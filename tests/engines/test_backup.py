"""Backups on every engine: one moment of a shop that is written to meanwhile, and values as they were."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db import backup_tables
from db.backup import back_up, back_up_file
from db.backup_file import Manifest, new_file
from db.backup_tables import Insert, Table, pages, tables_of, written
from db.backup_watch import Watched
from db.helper import Busy, Database, Unavailable
from db.invariants import check
from db.migrate import Migrations
from db.restore import restore
from db.sql import Statement, unregistered
from tests.db.backup_support import BIG, TEXTS, made_lively, members, quiet
from tests.db.rebuild_support import folder_with
from tests.db.test_backup_tables import NUMBERS, ODD
from tests.engines.candidates import Candidate
from tests.engines.homes import D1Homes, LibsqlHomes

WRITERS = 4


@pytest.fixture(scope="module")
def lively(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backup of a shop with a row in every table."""
    folder = tmp_path_factory.mktemp("lively")
    path = made_lively(template, folder)
    with new_file(folder / "shop.zip") as file:
        asyncio.run(back_up_file(path, file, Migrations(), "0.0.1", quiet))
    return folder / "shop.zip"


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


@pytest.fixture
def shop(empty: Candidate, lively: Path) -> Candidate:
    """The lively shop on each engine."""
    empty.run(restore(empty.db, lively, Migrations(), quiet))
    return empty


async def backed_up(db: Database, target: Path, migrations: Migrations | None = None) -> Manifest:
    with new_file(target) as file:
        return await back_up(db, file, migrations or Migrations(), "0.0.1", quiet)


# Pieces go from one variant to another; a torn backup has them twice, or not at all, and its moves do not add up.
TAKE = unregistered("UPDATE inventory SET stock = stock + :delta WHERE variant_id = :variant")
MOVE = unregistered("""
    INSERT INTO stock_moves (id, variant_id, location_id, delta, reason, balance_after, actor, created_at)
    SELECT :id, variant_id, location_id, :delta, 'transfer', stock, 'test', :now FROM inventory
    WHERE variant_id = :variant
""")
TRIED = unregistered("""
    INSERT INTO rate_limits (scope, window, count, expires_at, created_at, updated_at)
    VALUES (:scope, '', 1, '2999-01-01T00:00:00.000Z', :now, :now) ON CONFLICT DO UPDATE SET count = count + 1
""")
FORGOTTEN = unregistered("DELETE FROM rate_limits WHERE scope = :scope AND count > 3")
NOW = "2026-01-02T03:04:05.678Z"


def transfer(writer: int, number: int, variants: list[str]) -> list[Statement]:
    """A batch that no moment may show half done."""
    source, target = variants[number % len(variants)], variants[(number + 1) % len(variants)]
    statements = []
    for variant, delta, way in ((source, -1, "a"), (target, 1, "b")):
        move = f"move_{writer}_{number:06}_{way}"
        statements += [TAKE(delta=delta, variant=variant), MOVE(id=move, variant=variant, delta=delta, now=NOW)]
    scope = f"w:{writer}.{number % 5}"
    return [*statements, TRIED(scope=scope, now=NOW), FORGOTTEN(scope=scope)]


async def written_to(candidate: Candidate, target: Path) -> tuple[Manifest, int]:
    """A backup while some writers move stock about; how often they did."""
    variants = [row["variant_id"] for row in (await candidate.db.read(_STOCKED()))[0]]
    stopped, done = asyncio.Event(), [0]

    async def write(writer: int) -> None:
        db = await candidate.connect()
        try:
            number = 0
            while not stopped.is_set():
                try:
                    await db.batch(transfer(writer, number, variants))
                except (Busy, Unavailable):
                    continue
                number += 1
                done[0] += 1
        finally:
            await db.close()

    writers = [asyncio.create_task(write(number)) for number in range(WRITERS)]
    try:
        await asyncio.sleep(0.2)
        begun = done[0]
        manifest = await backed_up(candidate.db, target)
        return manifest, done[0] - begun
    finally:
        stopped.set()
        await asyncio.gather(*writers)


_STOCKED = unregistered(
    "SELECT variant_id FROM inventory WHERE stock > 5 AND location_id = 'location_00000000000000000000000000'"
)


def broken(backup: Path, folder: Path) -> list[str]:
    """The invariants that the shop of a backup breaks, found by restoring it into a file."""
    candidate = Candidate("sqlite", f"sqlite:///{folder}/restored.db", "")
    with candidate.running():
        done = candidate.run(restore(candidate.db, backup, Migrations(), quiet, with_violations=True))
    return [one.name for one in done.violated]


def test_is_of_one_moment_while_the_shop_is_written_to(shop: Candidate, tmp_path: Path) -> None:
    _, writes = shop.run(written_to(shop, tmp_path / "shop.zip"))
    assert writes > 10, "too quiet to prove anything"
    assert broken(tmp_path / "shop.zip", tmp_path) == []
    assert [one.name for one in shop.run(check(shop.db)) if not one.holds] == []
    assert shop.run(Migrations().validate(shop.db)) == []


def test_pages_alone_would_be_torn(shop: Candidate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted defect: the test above must find pages that are taken for a snapshot."""

    async def settled(self: Watched) -> None:
        self.taken_at = NOW

    monkeypatch.setattr(Watched, "settle", settled)
    monkeypatch.setattr(backup_tables, "PAGE_ROWS", (20, 20))
    found: set[str] = set()
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        shop.run(written_to(shop, folder / "shop.zip"))
        found |= {*broken(folder / "shop.zip", folder)}
        if found:
            return
    raise AssertionError("five torn backups, and not one was found")


def test_every_kind_of_value_goes_there_and_back(empty: Candidate) -> None:
    columns = ", ".join(f"c{number} TEXT" for number in range(95))
    made = [ODD, ODD.replace("odd", "other"), f"CREATE TABLE wide ({columns}) STRICT"]
    empty.run(empty.db.batch([unregistered(one)() for one in made]))
    rows: list[list[Any]] = [[None, text, None, None, None] for text in TEXTS.values()]
    rows += [[None, None, number, None, None] for number in (0, 2**53 + 1, BIG, -BIG - 1)]
    rows += [[None, "", None, number, None] for number in NUMBERS]
    rows += [[None, None, None, None, blob] for blob in ("", "00FF", bytes(range(256)).hex().upper())]
    rows = [[number if number else BIG, *row[1:]] for number, row in enumerate(rows)]
    there = _there(empty, "odd", [written(row) for row in rows])
    assert sorted(map(json.loads, there)) == sorted(rows, key=lambda row: int(row[0]))
    assert _there(empty, "other", there) == there
    wide = [written([f"{number}é" for number in range(95)]), written(["x" * 900_000, "é" * 400_000, *[None] * 93])]
    assert _there(empty, "wide", wide) == wide


def _there(candidate: Candidate, name: str, texts: list[str]) -> list[str]:
    """Insert rows as a restore does; how a backup then reads them."""

    async def go() -> list[str]:
        table: Table = (await tables_of(candidate.db))[name]
        await candidate.db.batch(Insert(table, name).statements(texts))
        return [line.text async for some in pages(candidate.db, table) for line in some]

    found: list[str] = candidate.run(go())
    return found


def test_pages_are_bounded_on_every_engine(empty: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows by the megabyte: more in all than any engine tells in one answer, with keys beyond 2^53."""
    empty.run(empty.db.batch([unregistered("CREATE TABLE fat (a TEXT) STRICT")()]))
    insert = unregistered("INSERT INTO fat (rowid, a) VALUES (:n, :a)")
    for number in range(12):
        empty.run(empty.db.batch([insert(n=2**53 + 3 * number, a=chr(97 + number) * 1_200_000)]))

    async def go() -> list[tuple[int, str]]:
        table = (await tables_of(empty.db))["fat"]
        return [(len(some), line.text[2]) async for some in pages(empty.db, table) for line in some]

    assert empty.run(go()) == [(1, chr(97 + number)) for number in range(12)]


def test_every_table_can_be_rebuilt_and_keeps_every_row(shop: Candidate, tmp_path: Path) -> None:
    before = shop.run(backed_up(shop.db, tmp_path / "before.zip"))
    names = [one.name for one in before.tables if one.name != "migrations"]
    migrations = Migrations(folder_with(tmp_path / "migrations", *names))
    shop.run(migrations.up(shop.db))
    assert shop.run(migrations.validate(shop.db)) == []
    shop.run(backed_up(shop.db, tmp_path / "after.zip", migrations))
    after = {name: rows for name, rows in members(tmp_path / "after.zip").items() if "migrations" not in name}
    assert after == {name: rows for name, rows in members(tmp_path / "before.zip").items() if "migrations" not in name}
    assert [one.name for one in shop.run(check(shop.db)) if not one.holds] == []
    shop.run(migrations.down(shop.db, Migrations().latest))
    assert shop.run(backed_up(shop.db, tmp_path / "down.zip")).content_sha256 == before.content_sha256


def test_reset_throws_away_whatever_is_there(shop: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_TOKEN", shop.token)
    assert shop.run(Migrations().reset(shop.url)).version == Migrations().latest
    assert shop.run(Migrations().validate(shop.db)) == []
    assert shop.one("SELECT count(*) FROM products") == 0


def test_a_restore_needs_an_empty_database(shop: Candidate, lively: Path, tmp_path: Path) -> None:
    before = shop.run(backed_up(shop.db, tmp_path / "before.zip"))
    for again in (False, True):
        with pytest.raises(backup_tables.BackupError, match="the database is not empty, it holds "):
            shop.run(restore(shop.db, lively, Migrations(), quiet, again=again))
    assert shop.run(backed_up(shop.db, tmp_path / "after.zip")).content_sha256 == before.content_sha256

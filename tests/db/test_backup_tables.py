"""Which tables a backup carries, in which order, and their rows, exactly and in bounded pages."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from db import backup_tables
from db.backup_tables import BackupError, Insert, Table, pages, refers_to_itself, rings, tables_of
from db.helper import Database
from db.sql import LimitExceeded, unregistered
from tests.db.backup_support import BIG, TEXTS, using
from tests.db.migration_support import execute

ODD = """CREATE TABLE odd (
  id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c REAL, d BLOB, e TEXT GENERATED ALWAYS AS (a || 'x') STORED
) STRICT"""
NUMBERS = [0.1, 1 / 3, -2.5e-300, 1e300 / 3, 5e-324, 1.7976931348623157e308, 3.0, -0.0, 123456789.123456789]


async def lines_of(db: Database, name: str) -> list[list[Any]]:
    table = (await tables_of(db))[name]
    return [json.loads(line.text) async for some in pages(db, table) for line in some]


async def page_lengths(db: Database, name: str) -> list[int]:
    table = (await tables_of(db))[name]
    return [len(some) async for some in pages(db, table)]


def made(folder: Path, *statements: str) -> str:
    execute(folder / "x.db", *statements)
    return f"sqlite:///{folder}/x.db"


def table(name: str, *parents: str) -> Table:
    return Table(name, ("id",), ("TEXT",), ("rowid",), frozenset(parents))


def names(found: list[tuple[Table, ...]]) -> list[list[str]]:
    return [[one.name for one in ring] for ring in found]


def test_parents_come_before_children() -> None:
    found = rings([table("c", "b"), table("b", "a", "b"), table("a"), table("d", "nowhere")])
    assert names(found) == [["a"], ["d"], ["b"], ["c"]]
    assert [refers_to_itself(ring) for ring in found] == [False, False, True, False]


def test_tables_that_refer_to_one_another_stand_together() -> None:
    found = rings([table("c", "b", "a"), table("b", "a"), table("a", "b"), table("z", "c")])
    assert names(found) == [["a", "b"], ["c"], ["z"]]
    assert refers_to_itself(found[0])


def test_the_shop_has_one_table_that_refers_to_itself_and_no_ring(template: Path) -> None:
    found = rings(list(using(f"sqlite:///{template}", tables_of).values()))
    assert [ring[0].name for ring in found if refers_to_itself(ring)] == ["categories"]
    assert {len(ring) for ring in found} == {1}
    seen: set[str] = set()
    for (one,) in found:
        assert one.parents <= seen | {one.name}
        seen.add(one.name)
    assert len(found) == 50 and not any("search_" in name and name != "product_search_texts" for name in seen)


def test_order_is_of_writing_or_of_the_key(template: Path) -> None:
    found = using(f"sqlite:///{template}", tables_of)
    assert found["stock_moves"].key == ("rowid",)
    assert found["product_search_texts"].key == ("id",)
    assert found["inventory"].key == ("variant_id", "location_id")
    assert "on_hand" not in found["inventory"].columns


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TABLE odd (id TEXT)", "make it STRICT"),
        ("CREATE TABLE odd (id ANY) STRICT", "TEXT, INTEGER, REAL and BLOB"),
        ("CREATE TABLE odd (rowid TEXT) STRICT", "none called rowid"),
        ("CREATE VIRTUAL TABLE odd USING fts5 (title)", "holds rows of its own"),
        ("CREATE VIRTUAL TABLE odd USING fts5 (title, content = '')", "holds rows of its own"),
    ],
)
def test_refuses_what_it_cannot_carry(tmp_path: Path, statement: str, told: str) -> None:
    with pytest.raises(BackupError, match=rf"odd .*{told}"):
        using(made(tmp_path, statement), tables_of)


def test_every_kind_of_value_goes_there_and_back(tmp_path: Path) -> None:
    url = made(tmp_path, ODD, ODD.replace("odd", "other"))
    values: list[tuple[Any, ...]] = [(text, None, None, None) for text in TEXTS.values()]
    values += [(None, number, None, None) for number in (0, 2**53 + 1, BIG, -BIG - 1)]
    values += [("", None, number, None) for number in NUMBERS]
    values += [(None, None, None, blob) for blob in (b"", b"\x00\xff", bytes(range(256)))]

    async def work(db: Database) -> None:
        tables = await tables_of(db)
        insert = unregistered("INSERT INTO odd (a, b, c, d) VALUES (:a, :b, :c, unhex(:d))")
        await db.batch([insert(a=a, b=b, c=c, d=None if d is None else d.hex()) for a, b, c, d in values])
        there = [line.text async for some in pages(db, tables["odd"]) for line in some]
        await db.batch(Insert(tables["odd"], "other").statements(there))
        back = [line.text async for some in pages(db, tables["other"]) for line in some]
        assert there == back
        wrong = (
            "SELECT count(*) AS n FROM odd o JOIN other p USING (id) "
            "WHERE (o.a, o.b, o.c, o.d) IS NOT (p.a, p.b, p.c, p.d)"
        )
        assert await db.read(unregistered(wrong)()) == [[{"n": 0}]]
        told = [json.loads(text) for text in there]
        assert [row[1] for row in told][: len(TEXTS)] == list(TEXTS.values())
        assert [row[3] for row in told if row[3] is not None] == NUMBERS
        assert [bytes.fromhex(row[4]) for row in told if row[4] is not None] == [
            row[3] for row in values if row[3] is not None
        ]
        assert {len(row) for row in told} == {5}

    using(url, work)


def test_any_real_number_comes_back_as_it_was(tmp_path: Path) -> None:
    url = made(tmp_path, ODD, ODD.replace("odd", "other"))
    drawn = random.Random(7)
    numbers = [math.ldexp(drawn.uniform(-1, 1), drawn.randrange(-1000, 1000)) for _ in range(3_000)]

    async def work(db: Database) -> None:
        odd = (await tables_of(db))["odd"]
        insert = unregistered("INSERT INTO odd (c) VALUES (:c)")
        for start in range(0, 3_000, 1_000):
            await db.batch([insert(c=number) for number in numbers[start : start + 1_000]])
        texts = [line.text async for some in pages(db, odd) for line in some]
        assert [json.loads(text)[3] for text in texts] == numbers
        await db.batch(Insert(odd, "other").statements(texts))
        assert [row[3] for row in await lines_of(db, "other")] == numbers

    using(url, work)


def test_a_number_that_is_none_is_told(tmp_path: Path) -> None:
    url = made(tmp_path, ODD, "INSERT INTO odd (id, c) VALUES (7, 9e999)")
    with pytest.raises(BackupError, match=r"odd, row \[7\]: .*not JSON compliant"):
        using(url, lambda db: lines_of(db, "odd"))


def test_pages_are_bounded_in_rows_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_tables, "PAGE_ROWS", (4, 10))
    monkeypatch.setattr(backup_tables, "PAGE_BYTES", 1_000)
    url = made(
        tmp_path,
        "CREATE TABLE thin (a TEXT, b TEXT, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID",
        "CREATE TABLE fat (a TEXT) STRICT",
        "CREATE TABLE none (a TEXT) STRICT",
    )

    async def work(db: Database) -> None:
        thin = unregistered("INSERT INTO thin VALUES (:a, :b)")
        await db.batch([thin(a=f"a{number // 7}", b=f"b{number % 7}") for number in range(49)])
        fat = unregistered("INSERT INTO fat (rowid, a) VALUES (:n, :a)")
        sizes = [300, 300, 300, 300, 5_000, 10, 10, 990, 10]
        # With gaps, and beyond 2^53, where D1 tells no numbers.
        await db.batch([fat(n=2**53 + 3 * n, a="é" * (size // 2)) for n, size in enumerate(sizes)])
        assert await page_lengths(db, "thin") == [4, 8, 10, 10, 10, 7]
        assert [row for row in await lines_of(db, "thin")] == [[f"a{n // 7}", f"b{n % 7}"] for n in range(49)]
        assert await page_lengths(db, "fat") == [3, 1, 1, 2, 1, 1]
        assert [len(row[0]) * 2 for row in await lines_of(db, "fat")] == sizes
        assert await page_lengths(db, "none") == []

    using(url, work)


def test_a_wide_row_comes_in_pieces_and_a_long_one_goes_value_by_value(tmp_path: Path) -> None:
    columns = [f"c{number}" for number in range(95)]
    described = ", ".join(f"{name} TEXT" for name in columns)
    url = made(tmp_path, f"CREATE TABLE wide ({described}) STRICT", f"CREATE TABLE other ({described}) STRICT")

    async def work(db: Database) -> None:
        wide = (await tables_of(db))["wide"]
        insert = Insert(wide, "wide")
        rows: list[list[str | None]] = [
            [f"{number}é" for number in range(95)],
            ["x" * 1_500_000, "é" * 900_000, *[None] * 93],
            ["é"] * 95,
        ]
        texts = [backup_tables.written(row) for row in rows]
        assert [len(one.values) for one in insert.statements(texts)] == [1, 95, 1]
        await db.batch(insert.statements(texts))
        assert [line.text async for some in pages(db, wide) for line in some] == texts

    using(url, work)


def test_a_value_that_no_engine_takes_is_not_sent() -> None:
    one = Table("a", ("id",), ("TEXT",), ("rowid",), frozenset())
    with pytest.raises(LimitExceeded):
        Insert(one, "a").statements([backup_tables.written(["x" * 2_000_001])])


def test_no_table_of_the_shop_is_called_like_what_a_backup_or_restore_makes(template: Path) -> None:
    found = using(f"sqlite:///{template}", tables_of)
    assert [name for name in found if name.startswith(("backup_", "restoring_"))] == []

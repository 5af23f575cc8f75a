"""Schema drift: every kind of object, missing, too much and changed, is told by its name."""

from pathlib import Path

import pytest

from db.drift import Thing, differences, normal
from tests.db.migration_support import SMALL, execute, up, validate, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "migrations", SMALL)


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (["DROP INDEX pieces_by_shop"], ["missing index pieces_by_shop"]),
        (["DROP TRIGGER pieces_counted"], ["missing trigger pieces_counted"]),
        (["DROP VIEW counted_pieces"], ["missing view counted_pieces"]),
        (
            ["DROP VIEW counted_pieces", "DROP TABLE pieces"],
            ["index pieces_by_shop", "table pieces", "trigger pieces_counted", "view counted_pieces"],
        ),
        (["CREATE TABLE y (a TEXT)"], ["extra table y"]),
        (["CREATE INDEX pieces_by_count ON pieces (count)"], ["extra index pieces_by_count"]),
        (["CREATE VIEW unasked AS SELECT 1"], ["extra view unasked"]),
        (
            ["CREATE TRIGGER late AFTER DELETE ON pieces BEGIN SELECT 1; END"],
            ["extra trigger late"],
        ),
        (["CREATE VIRTUAL TABLE words USING fts5(word)"], ["extra table words"]),
        (["ALTER TABLE shops ADD COLUMN phone TEXT"], ["table shops differs: has 'phone text'"]),
        (["ALTER TABLE shops RENAME COLUMN name TO title"], ["lacks 'name text not null'; has 'title text not null'"]),
        (
            ["DROP INDEX pieces_by_shop", "CREATE UNIQUE INDEX pieces_by_shop ON pieces (shop_id)"],
            ["index pieces_by_shop differs: is 'create unique index", "should be 'create index"],
        ),
        (
            ["DROP VIEW counted_pieces", "CREATE VIEW counted_pieces AS SELECT 1 AS one"],
            ["view counted_pieces differs: is 'create view counted_pieces as select 1 as one'"],
        ),
        (
            [
                "DROP TRIGGER pieces_counted",
                "CREATE TRIGGER pieces_counted AFTER INSERT ON pieces BEGIN SELECT 2; END",
            ],
            ["trigger pieces_counted differs"],
        ),
    ],
)
def test_tells_every_kind_of_drift(tmp_path: Path, folder: Path, statements: list[str], told: list[str]) -> None:
    file = tmp_path / "shop.db"
    up(file, folder)
    assert validate(file, folder) == []
    execute(file, *statements)
    problems = "\n".join(validate(file, folder))
    for words in told:
        assert words in problems


def test_each_difference_is_one_sentence(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "shop.db"
    up(file, folder, to=2)
    execute(file, "DROP INDEX pieces_by_shop", "CREATE TABLE y (a TEXT)")
    assert validate(file, folder) == ["schema: missing index pieces_by_shop", "schema: extra table y"]


def test_spacing_case_comments_and_quotes_are_no_drift() -> None:
    written = "CREATE TABLE shops ( -- the shops\n  id TEXT PRIMARY KEY,\n  name TEXT DEFAULT 'It''s -- A') STRICT"
    kept = "create table \"shops\" (id TEXT  PRIMARY KEY, /* x */ [name] TEXT DEFAULT 'It''s -- A')STRICT"
    assert normal(written) == normal(kept)
    assert normal("SELECT 'A'") != normal("SELECT 'a'")


def test_a_table_with_its_columns_in_another_order_is_told() -> None:
    thing = Thing("table", "t")
    (told,) = differences({thing: "CREATE TABLE t (b INT, a INT)"}, {thing: "CREATE TABLE t (a INT, b INT)"})
    assert told == "table t differs: the order is b, a"
    (told,) = differences({thing: "CREATE TABLE t (a INT)"}, {thing: "CREATE TABLE t (a INT) STRICT"})
    assert told == "table t differs: is 'create table t ( a int )', should be 'create table t ( a int ) strict'"

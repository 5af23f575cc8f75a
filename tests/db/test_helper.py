"""What an engine's message means, how records become statements, and which URLs name a database."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from db.helper import (
    ROWS_BYTES_MAX,
    Conflict,
    Database,
    DatabaseError,
    Refused,
    Unavailable,
    connect,
    error_from,
    insert_many,
    insert_statements,
)
from db.sql import LimitExceeded
from tests.db.engine_support import one, opened, rows

# The wording of SQLite 3.40, of SQLite 3.45 and later, of sqld and of D1.
GUARDS = (
    "JSON path error near 'guard:{0}'",
    "bad JSON path: 'guard:{0}'",
    "SQLite error: bad JSON path: 'guard:{0}'",
    "D1_ERROR: bad JSON path: 'guard:{0}': SQLITE_ERROR",
)
CONSTRAINTS = ("{0}", "SQLite error: {0}", "D1_ERROR: {0}: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)")


@pytest.mark.parametrize("wording", GUARDS)
@pytest.mark.parametrize("detail", ["", "plain", 'it\'s "so"', "a\nb", "Ünï ✓", '{"lines":[]}', "a: 'b': c", "'", "''"])
def test_reads_a_guard_in_every_wording(wording: str, detail: str) -> None:
    error = error_from(wording.format("stale_price:" + detail.replace("'", "''")))
    assert isinstance(error, Refused)
    assert (error.code, error.detail) == ("stale_price", detail)


@pytest.mark.parametrize("wording", CONSTRAINTS)
@pytest.mark.parametrize(
    ("said", "kind", "what"),
    [
        ("UNIQUE constraint failed: products.slug", "unique", "products.slug"),
        ("UNIQUE constraint failed: a.b, a.c", "unique", "a.b, a.c"),
        ("UNIQUE constraint failed: index 'users_email_once'", "unique", "users_email_once"),
        ("CHECK constraint failed: inventory_stock_not_negative", "check", "inventory_stock_not_negative"),
        ("NOT NULL constraint failed: products.title", "not_null", "products.title"),
        ("FOREIGN KEY constraint failed", "foreign_key", ""),
        ("stock_moves_append_only: history is not changed", "trigger", "stock_moves_append_only"),
        ("orders_amounts_refused: a placed order keeps its amounts", "trigger", "orders_amounts_refused"),
    ],
)
def test_reads_a_constraint_in_every_wording(wording: str, said: str, kind: str, what: str) -> None:
    error = error_from(wording.format(said))
    assert isinstance(error, Conflict)
    assert (error.kind, error.what) == (kind, what)


@pytest.mark.parametrize("said", ["cannot store TEXT value in INTEGER column products.price", "datatype mismatch"])
def test_reads_a_wrong_type(said: str) -> None:
    error = error_from(said)
    assert isinstance(error, Conflict)
    assert error.kind == "type"


def test_does_not_read_what_is_none_of_ours() -> None:
    assert error_from("no such table: guards") is None
    assert error_from('near "SELEC": syntax error') is None


@pytest.mark.parametrize(
    "url",
    [
        "", "postgres://a/b", "mysql:///a", "shop.db", "sqlite:shop.db", "sqlite:/shop.db", "sqlite://", "sqlite:///",
        "sqlite://host/shop.db", "sqlite:///:memory:", "sqlite:///shop.db?mode=ro", "sqlite:///shop.db#x",
    ],
)  # fmt: skip
def test_refuses_a_url_that_names_no_engine(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        asyncio.run(connect(url))


def test_takes_a_path_with_escaped_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a shop"
    folder.mkdir()

    async def use() -> None:
        db = await connect(f"sqlite:///{str(folder).replace(' ', '%20')}/shop%20%C3%A9.db")
        assert await db.health()
        await db.close()

    asyncio.run(use())
    assert (folder / "shop é.db").is_file()


@pytest.mark.parametrize("serving", [False, True])
def test_says_when_there_is_no_such_folder(tmp_path: Path, serving: bool) -> None:
    with pytest.raises(Unavailable, match="does not exist"):
        asyncio.run(connect(f"sqlite:///{tmp_path}/none/shop.db", serving=serving))


@pytest.mark.parametrize("table", ["Shelves", "a b", "a;b", 'a"', "1a", "", "a'--", "é"])
def test_refuses_a_table_that_is_no_identifier(table: str) -> None:
    with pytest.raises(ValueError, match="no identifier"):
        insert_statements(table, [{"id": 1}])


@pytest.mark.parametrize("column", ["Id", "a b", "a) --", ""])
def test_refuses_a_column_that_is_no_identifier(column: str) -> None:
    with pytest.raises(ValueError, match="no identifier"):
        insert_statements("shelves", [{column: 1}])


@pytest.mark.parametrize("count", [0, 101])
def test_refuses_more_columns_than_every_engine_has(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 100 columns"):
        insert_statements("shelves", [{f"c{number}": number for number in range(count)}])


def test_refuses_records_with_differing_columns() -> None:
    others: list[dict[str, Any]] = [{"id": "b"}, {"id": "b", "name": "b", "more": 1}, {"id": "b", "title": "b"}]
    for other in others:
        with pytest.raises(ValueError, match="expected the columns"):
            insert_statements("shelves", [{"id": "a", "name": "a"}, other])


@pytest.mark.parametrize("value", [b"x", [1], 2**63, math.nan, "a\0", "\ud800"])
def test_refuses_a_value_that_would_not_come_back(value: Any) -> None:
    with pytest.raises((LimitExceeded, TypeError)):
        insert_statements("shelves", [{"id": value}])


def test_splits_records_into_chunks_that_every_engine_takes() -> None:
    records = [{"id": f"{number:05}", "name": "é" * 1_000} for number in range(1_000)]
    statements = insert_statements("shelves", records)
    assert len({statement.sql.text for statement in statements}) == 1
    sizes = [len(str(statement.values[0]).encode()) for statement in statements]
    assert len(sizes) == 5
    assert max(sizes) < ROWS_BYTES_MAX * 1.01
    assert insert_statements("shelves", []) == []


def test_inserts_all_records_or_none(tmp_path: Path) -> None:
    records = [{"id": f"{number:05}", "name": f"{number} {'x' * 1_000}"} for number in range(1_200)]
    with opened(tmp_path) as (db, run):
        before = db.trips
        with pytest.raises(Conflict, match="shelves_name_not_empty"):
            run(insert_many(db, "shelves", [*records, {"id": "last", "name": ""}]))
        assert one(db, run, "SELECT count(*) AS n FROM shelves") == 0
        assert run(insert_many(db, "shelves", (record for record in records))) == 1_200
        assert one(db, run, "SELECT count(*) AS n FROM shelves") == 1_200
        assert db.trips - before == 4  # a bulk insert is one round trip
        assert run(insert_many(db, "shelves", [])) == 0
        assert db.trips - before == 4


def test_inserts_values_as_they_are(tmp_path: Path) -> None:
    record: dict[str, Any] = {
        "id": "a", "number": -(2**63), "fraction": 0.1, "text": "123", "flag": True, "missing": None,
        "words": 'it\'s "so"\n\t\\ ✓ 😀',
    }  # fmt: skip

    async def use(db: Database) -> None:
        await insert_many(db, "everything", [record])

    with opened(tmp_path) as (db, run):
        run(use(db))
        [row] = rows(db, run, "SELECT *, typeof(text) AS t, typeof(number) AS n, typeof(flag) AS f FROM everything")
        assert {name: row[name] for name in record} == {**record, "flag": 1}
        assert (row["t"], row["n"], row["f"]) == ("text", "integer", "integer")


def test_errors_are_all_database_errors() -> None:
    for error in DatabaseError.__subclasses__():
        assert issubclass(error, DatabaseError)
    assert str(Refused("stale", "why")) == "stale: why"
    assert str(Refused("stale")) == "stale"
    assert str(Conflict("foreign_key", "")) == "foreign_key"
    assert str(Conflict("unique", "a.b")) == "unique: a.b"

"""Plans of given queries: what walks, what sorts, which index was tried and helps, and that nothing is ever run."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.plans import queries_of, with_names
from tests.doctor import older_shop
from tests.doctor.making import examined, keys, made, make, state

QUERY_CODES = ("query_broken", "query_scan", "query_builds_index", "query_sort")


def test_the_queries_of_the_older_shop(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    before = state(tmp_path)
    found = examined(path, older_shop.QUERIES)
    assert {key for key in keys(found) if key[0] in QUERY_CODES} == {
        ("query_scan", "line 2, analytics_events"),
        ("query_sort", "line 2"),
        ("query_scan", "line 5, order_items"),
        ("query_scan", "line 6, products"),
        ("query_broken", "line 7"),
    }
    assert "The plan of line 8 (PRAGMA …): it is no query" in found.case.not_asked
    advice = {one.key: one.data["advice"] for one in found.findings if "advice" in one.data}
    assert [one.partition(" ON ")[2] for one in advice["query_scan", "line 2, analytics_events"]] == [
        '"analytics_events" ("event_type", "timestamp")'
    ]
    assert [one.partition(" ON ")[2] for one in advice["query_scan", "line 5, order_items"]] == [
        '"order_items" ("order_id")',
        '"orders" ("user_id")',
    ]
    assert state(tmp_path) == before


def test_the_advice_works(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    found = examined(path, older_shop.QUERIES)
    made(path, *{statement for one in found.findings for statement in one.data.get("advice", [])})
    left = {key for key in keys(examined(path, older_shop.QUERIES)) if key[0] in QUERY_CODES}
    assert left == {("query_broken", "line 7")}


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM users",
        "DROP TABLE users",
        "PRAGMA user_version = 7",
        "PRAGMA journal_mode = WAL",
        "ATTACH 'other.db' AS other",
        "VACUUM INTO 'other.db'",
        "SELECT 1; DELETE FROM users; SELECT 2",
        "SELECT [it's]; DROP TABLE users; --'",
        "WITH a AS (SELECT 1) DELETE FROM users",
        "EXPLAIN DELETE FROM users",
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM users; END",
    ],
)
def test_no_query_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    monkeypatch.chdir(tmp_path)
    before = state(tmp_path)
    examined(path, query)
    assert state(tmp_path) == before


def test_queries_are_cut_where_sqlite_cuts_them() -> None:
    text = "-- one; two\nSELECT ';' AS a; /* ; */\n\nSELECT \"x;y\",\n [z;w];\nSELECT 3"
    assert [(one.line, one.text) for one in queries_of(text)] == [
        (2, "SELECT ';' AS a"),
        (4, 'SELECT "x;y",\n [z;w]'),
        (6, "SELECT 3"),
    ]
    asked, names = with_names("SELECT ?, ?, ?3, :a, @b, $c, :a, '?', \":x\" -- ?\n")
    assert asked == "SELECT :p1, :p2, :p3, :p4, :p5, :p6, :p4, '?', \":x\" -- ?\n"
    assert names == ["p1", "p2", "p3", "p4", "p5", "p6"]


def test_indexes_that_no_query_uses(tmp_path: Path) -> None:
    times = "created_at TEXT, updated_at TEXT"
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE users (id INTEGER PRIMARY KEY, a, b, c, {times})",
        f"CREATE TABLE notes (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users, {times})",
        "CREATE INDEX by_a ON users (a)",
        "CREATE INDEX by_b ON users (b)",
        "CREATE UNIQUE INDEX c_once ON users (c)",
        "CREATE INDEX notes_by_user ON notes (user)",
    )
    queries = "SELECT b FROM users AS u WHERE u.a = :a; SELECT * FROM users ORDER BY id LIMIT 3;"
    found = keys(examined(path, queries))
    assert ("unused_index", "by_b") in found
    assert {place for code, place in found if code == "unused_index"} == {"by_b"}
    assert ("unused_index", "by_b") not in keys(examined(path))


def test_a_join_without_an_index_and_a_view(tmp_path: Path) -> None:
    times = "created_at TEXT, updated_at TEXT"
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE a (id INTEGER PRIMARY KEY, k, {times})",
        f"CREATE TABLE b (id INTEGER PRIMARY KEY, k, {times})",
        "CREATE VIEW both AS SELECT x.id AS one, y.id AS two FROM a AS x JOIN b AS y ON y.k = x.k",
    )
    found = {key for key in keys(examined(path, "\nSELECT * FROM both;")) if key[0] in QUERY_CODES}
    assert ("query_scan", "line 2, a") in found or ("query_scan", "line 2, b") in found
    assert any(code == "query_builds_index" for code, _ in found)

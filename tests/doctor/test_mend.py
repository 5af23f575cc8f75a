"""The written migration: applied to a copy it loses nothing, mends what it says, and its way back is the way back."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from db.migration_files import split
from tests.cli.terminal import Terminal
from tests.doctor import music_shop, older_shop
from tests.doctor.making import connect, examined, keys, made, make, state
from tests.doctor.test_hostile import NASTY, quoted


def contents(path: Path) -> dict[str, list[Any]]:
    """Every row of every table, and the schema."""
    with closing(connect(path)) as connection:
        names = [one for (one,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        found = {name: connection.execute(f"SELECT * FROM {quoted(name)}").fetchall() for name in names}
        found["schema"] = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
        return found


def apply(path: Path, file: Path) -> None:
    made(path, "BEGIN IMMEDIATE", *split(file.read_text(encoding="utf-8")), "COMMIT")


@pytest.mark.parametrize("shop", [music_shop, older_shop], ids=["music", "older"])
def test_up_and_down_on_a_copy(terminal: Terminal, shop: ModuleType) -> None:
    path = make(terminal.folder / "shop.db", shop)
    before, rows = state(terminal.folder), contents(path)
    done = terminal.tally("doctor", path, "--write-migration", terminal.folder)
    assert done.code == 1 and "second report: none of the" in done.out
    assert "schema after down: equal to the one before" in done.out and "NOT EQUAL" not in done.out
    assert state(terminal.folder)["shop.db"] == before["shop.db"]
    apply(path, terminal.folder / "mend.up.sql")
    now = contents(path)
    for name, old in rows.items():
        if name != "schema":
            assert [row[: len(old[0])] for row in now[name]] == old, name
    mended = {code for code, _ in shop.PLANTED} - {code for code, _ in keys(examined(path))}
    assert keys(examined(path)) < shop.PLANTED | shop.ON_A_FILE
    assert mended >= {"no_timestamps", "foreign_key_without_index", "counter_without_check"}
    apply(path, terminal.folder / "mend.down.sql")
    assert contents(path) == rows


def test_the_migration_of_004(terminal: Terminal) -> None:
    path = make(terminal.folder / "shop.db", older_shop)
    assert terminal.tally("doctor", path, "--write-migration", "shop").code == 1
    apply(path, terminal.folder / "shop.up.sql")
    with closing(connect(path)) as connection:
        run = connection.execute
        assert {name for (name,) in run("SELECT name FROM sqlite_schema WHERE type = 'index'")} >= (
            older_shop.INDEXES_OF_004
        )
        assert run("SELECT count(*), count(DISTINCT product_id) FROM stock_moves").fetchone() == (60, 60)
        wrong = run(
            "SELECT count(*) FROM products p JOIN stock_moves m ON m.product_id = p.id "
            "WHERE m.delta <> ifnull(p.stock, 0)"
        )
        assert wrong.fetchone() == (0,)
        assert run("SELECT sum(events), count(DISTINCT date) FROM analytics_daily").fetchone() == (500, 10)
        with pytest.raises(Exception, match="below zero"):
            run("UPDATE products SET stock = stock - 5 WHERE id = 2")
        with pytest.raises(Exception, match="below zero"):
            run("INSERT INTO products (title, stock) VALUES ('x', -1)")
        run("UPDATE products SET stock = -1 WHERE id = 9")  # from -2: nearer to the truth
        run("UPDATE products SET stock = stock - 2 WHERE id = 2")
        run("INSERT INTO products (title, stock) VALUES ('new', 4)")
        moves = "SELECT product_id, delta, reason, balance_after FROM stock_moves WHERE id > 60 ORDER BY id"
        assert run(moves).fetchall() == [(9, 1, "change", -1), (2, -2, "change", 0), (61, 4, "opening", 4)]
        for statement in ("DELETE FROM stock_moves", "UPDATE stock_moves SET delta = 0"):
            with pytest.raises(Exception, match="append_only"):
                run(statement)
        run("INSERT INTO users (email) VALUES ('new@example.com')")
        run("UPDATE users SET name = 'x' WHERE id = 1")
        times = "SELECT id, updated_at IS NOT NULL FROM users WHERE id IN (1, 2, 51)"
        assert run(times).fetchall() == [(1, 1), (2, 0), (51, 1)]
    assert ("stock_without_trail", "products") not in keys(examined(path))


def test_what_is_there_is_not_overwritten(terminal: Terminal) -> None:
    path = make(terminal.folder / "shop.db", older_shop)
    for name in ("mend.down.sql", "mend.up.sql"):
        (terminal.folder / name).write_text("mine")
        before = state(terminal.folder)
        done = terminal.tally("doctor", path, "--write-migration", terminal.folder)
        assert (done.code, done.out) == (1, "") and f"{name} exists" in done.err
        assert state(terminal.folder) == before
        (terminal.folder / name).unlink()
    done = terminal.tally("doctor", path, "--write-migration", "nowhere/mend")
    assert done.code == 1 and "there is no folder nowhere" in done.err


def test_hostile_names_and_keys_are_mended_too(terminal: Terminal) -> None:
    table = quoted(NASTY)
    path = made(
        terminal.folder / "shop.db",
        f'CREATE TABLE {table} ("a b" TEXT, "c\'d" INTEGER, "stock""" INTEGER, '
        'PRIMARY KEY ("a b", "c\'d")) WITHOUT ROWID',
        f"INSERT INTO {table} VALUES ('x', 1, 5), ('x', 2, NULL), (x'00', 'y', 7)",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, a TEXT, c INTEGER, stock REAL, "
        f"FOREIGN KEY (a, c) REFERENCES {table})",
        "CREATE VIRTUAL TABLE search USING fts5(body)",
        "INSERT INTO search VALUES ('kept')",
        "CREATE TRIGGER child_search AFTER INSERT ON child BEGIN INSERT INTO search VALUES (NEW.a); END",
        "CREATE TABLE events (id INTEGER PRIMARY KEY, type TEXT, timestamp INTEGER)",
        "INSERT INTO events (type, timestamp) VALUES ('a', 1700000000)",
        "CREATE VIEW stock_moves AS SELECT 1",
    )
    rows = contents(path)
    done = terminal.tally("doctor", path, "--write-migration", "m")
    assert "none of the" in done.out and "equal to the one before" in done.out, done.err
    apply(path, terminal.folder / "m.up.sql")
    with closing(connect(path)) as connection:
        connection.execute(f'INSERT INTO {table} ("a b", "c\'d", "stock""") VALUES (\'z\', 3, 9)')
        connection.execute(f'UPDATE {table} SET "stock""" = 8 WHERE "c\'d" = 3')
        connection.execute("INSERT INTO child (a, c, stock) VALUES ('x', 1, 1.5)")
        connection.execute("DELETE FROM child")
        connection.execute("DELETE FROM search WHERE body = 'x'")
        connection.execute(f'DELETE FROM {table} WHERE "c\'d" = 3')
    apply(path, terminal.folder / "m.down.sql")
    now = contents(path)
    assert {name: now[name] for name in (NASTY, "child", "events", "schema")} == {
        name: rows[name] for name in (NASTY, "child", "events", "schema")
    }


def test_a_broken_view_leaves_tables_alone(terminal: Terminal) -> None:
    path = made(
        terminal.folder / "shop.db",
        "CREATE TABLE products (id INTEGER PRIMARY KEY, stock INTEGER)",
        "CREATE VIEW lost AS SELECT * FROM nobody",
    )
    done = terminal.tally("doctor", path, "--write-migration", "m", "--json")
    assert done.code == 1 and "none of the 2 mended findings is left" in done.err
    assert json.loads(done.out)["counts"]["medium"] == 2
    assert "* no_timestamps products: ALTER TABLE may refuse" in (terminal.folder / "m.up.sql").read_text()


def test_nothing_to_mend_writes_nothing(terminal: Terminal) -> None:
    path = made(terminal.folder / "shop.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, created_at, updated_at)")
    done = terminal.tally("doctor", path, "--write-migration", "m")
    assert done.code == 0 and "none was written" in done.out
    assert list(state(terminal.folder)) == ["shop.db"]

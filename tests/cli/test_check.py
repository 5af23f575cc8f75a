"""`tally check`: invariants as files, on the shop's own schema and on small ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.helper import Database
from db.invariants import DIRECTORY, InvariantError, check, read
from tests.cli.terminal import Terminal
from tests.db.migration_support import counts, execute, up, using


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "invariants"
    folder.mkdir()
    (folder / "stock_is_not_negative.sql").write_text("-- Stock is never negative.\nSELECT * FROM t WHERE n < 0;\n")
    (folder / "names_are_known.sql").write_text("-- Every name is known.\nWITH k AS (SELECT 1) SELECT name FROM t\n")
    return folder


def test_the_shops_own_invariants_hold_on_an_empty_shop(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    done = terminal.tally("check")
    assert (done.code, done.err) == (0, "")
    invariants = read(DIRECTORY)
    assert done.out.count("ok    ") == len(invariants)
    for invariant in invariants:
        assert f"ok    {invariant.name}: {invariant.sentence}" in done.out
    assert done.out.endswith(f"{len(invariants)} invariants hold\n")


def test_a_broken_invariant_is_told_with_its_rows(terminal: Terminal, folder: Path) -> None:
    terminal.file.parent.mkdir()
    execute(terminal.file, "CREATE TABLE t (name TEXT, n INTEGER)")
    words = ("check", "--directory", folder)
    assert terminal.tally(*words).code == 0
    execute(terminal.file, "INSERT INTO t VALUES ('Ελένη', -1)", "INSERT INTO t VALUES ('b', 3)")
    done = terminal.tally(*words)
    assert done.code == 1
    assert "FAIL  stock_is_not_negative: Stock is never negative. (1 row)\n" in done.out
    assert '      {"name": "Ελένη", "n": -1}\n' in done.out
    assert "FAIL  names_are_known: Every name is known. (2 rows)\n" in done.out
    assert done.out.endswith("2 of 2 invariants violated\n")
    done = terminal.tally(*words, "--json")
    assert (done.code, done.json["violations"]) == (1, 2)
    broken = done.json["invariants"][1]
    assert broken.pop("seconds") >= 0
    assert broken == {
        "name": "stock_is_not_negative",
        "sentence": "Stock is never negative.",
        "holds": False,
        "rows": [{"name": "Ελένη", "n": -1}],
    }


def test_many_rows_are_cut(terminal: Terminal, folder: Path) -> None:
    terminal.file.parent.mkdir()
    execute(
        terminal.file,
        "CREATE TABLE t (name TEXT, n INTEGER)",
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 500) "
        "INSERT INTO t SELECT 'x', i FROM c",
    )
    done = terminal.tally("check", "--directory", folder)
    assert "names_are_known: Every name is known. (100 rows or more)" in done.out
    assert done.out.count('{"name": "x"}') == 10


def test_json_says_how_long_each_took(terminal: Terminal, folder: Path) -> None:
    terminal.file.parent.mkdir()
    execute(terminal.file, "CREATE TABLE t (name TEXT, n INTEGER)")
    counted = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000)"
    (folder / "one_counts.sql").write_text(
        f"-- A million is a number.\n{counted} SELECT max(i) AS i FROM c WHERE i < 0;\n"
    )
    done = terminal.tally("check", "--directory", folder, "--json")
    seconds = {one["name"]: one["seconds"] for one in done.json["invariants"]}
    assert seconds["one_counts"] > max(0.02, seconds["stock_is_not_negative"])
    assert seconds["stock_is_not_negative"] >= 0
    assert done.json["seconds"] == pytest.approx(sum(seconds.values()))


def test_deep_reads_every_page(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    plain, deep = (terminal.tally("check", "--json", *more).json["invariants"] for more in ((), ("--deep",)))
    assert [one["name"] for one in deep[len(plain) :]] == [one.name for one in read(DIRECTORY / "deep")]
    assert all(one["holds"] is True for one in deep)


def filled(terminal: Terminal) -> bytes:
    """The bytes of a shop's file with three more locations."""
    terminal.tally("migrate", "up")
    with closing(sqlite3.connect(terminal.file)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE").fetchall()
    named = "INSERT INTO locations (id, name, created_at, updated_at) VALUES ('location_1{}', 'x', '{t}', '{t}')"
    execute(terminal.file, *(named.format(number, t="2026-11-01T08:00:00.000Z") for number in (1, 2, 3)))
    return terminal.file.read_bytes()


def test_deep_tells_an_index_that_lost_a_row(terminal: Terminal) -> None:
    raw = filled(terminal)
    spots = [at for at in range(len(raw)) if raw.startswith(b"location_13", at)]
    [entry] = [at for at in spots if raw[at + 11 : at + 12] != b"x"]  # the other one is the row's, its name follows
    terminal.file.write_bytes(raw[: entry + 10] + b"9" + raw[entry + 11 :])
    assert terminal.tally("check").code == 0, "without --deep nobody looks"
    done = terminal.tally("check", "--deep")
    assert done.code == 1
    assert "FAIL  71_every_index_agrees_with_its_table: " in done.out
    assert "missing from index sqlite_autoindex_locations_1" in done.out
    assert "ok    70_every_page_is_sound" in done.out
    assert done.out.endswith(f"1 of {len(read()) + 2} invariants violated\n")


def overwritten(terminal: Terminal, name: str) -> None:
    """The first page of a table or index becomes one of no kind."""
    raw = filled(terminal)
    with closing(sqlite3.connect(terminal.file)) as asked:
        [(page,)] = asked.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchall()
        [(size,)] = asked.execute("PRAGMA page_size").fetchall()
    at = (page - 1) * size
    terminal.file.write_bytes(raw[:at] + b"\xff" * 4 + raw[at + 4 :])


def test_deep_tells_an_index_that_cannot_be_read(terminal: Terminal) -> None:
    overwritten(terminal, "idx_logs_created")
    assert terminal.tally("check").code == 0, "without --deep nobody looks"
    done = terminal.tally("check", "--deep")
    assert done.code == 1
    assert "FAIL  70_every_page_is_sound: " in done.out
    assert "btreeInitPage() returns error code 11" in done.out
    assert done.out.endswith(f"1 of {len(read()) + 2} invariants violated\n")


def test_deep_tells_a_table_that_cannot_be_read_and_what_was_not_asked_then(terminal: Terminal) -> None:
    overwritten(terminal, "orders")
    done = terminal.tally("check")
    assert (done.code, done.err) == (1, "tally: .tallystick/shop.db: database disk image is malformed\n")
    done = terminal.tally("check", "--deep")
    assert (done.code, done.err) == (1, "")
    assert "FAIL  70_every_page_is_sound: " in done.out
    assert '      {"problem": "database disk image is malformed"}\n' in done.out
    assert "not asked: 20_order_total_adds_up because database disk image is malformed\n" in done.out
    assert done.out.endswith(f"2 of 2 invariants violated, {len(read())} not asked\n")
    told = terminal.tally("check", "--deep", "--json").json
    assert told["violations"] == 2
    assert {one["holds"] for one in told["invariants"] if "not_asked" in one} == {None}


def test_what_an_engine_does_not_answer_is_told_and_not_passed(terminal: Terminal, folder: Path) -> None:
    terminal.file.parent.mkdir()
    execute(terminal.file, "CREATE TABLE t (name TEXT, n INTEGER)")
    (folder / "deep").mkdir()
    (folder / "deep" / "refused.sql").write_text("-- The engine says.\nSELECT refuses_this();\n")
    words = ("check", "--directory", folder, "--deep")
    done = terminal.tally(*words)
    assert done.code == 0
    assert "not asked: refused because no such function: refuses_this\n" in done.out
    assert done.out.endswith("2 invariants hold, 1 not asked\n")
    *_, refused = terminal.tally(*words, "--json").json["invariants"]
    assert (refused["holds"], refused["not_asked"]) == (None, "no such function: refuses_this")
    assert "not asked" not in terminal.tally(*words[:-1]).out


def test_a_schema_that_lacks_a_table_is_told(terminal: Terminal, folder: Path) -> None:
    terminal.file.parent.mkdir()
    execute(terminal.file, "CREATE TABLE other (name TEXT)")
    done = terminal.tally("check", "--directory", folder)
    assert done.code == 1
    assert done.err.startswith("tally: names_are_known.sql: no such table: t. Is the database migrated?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1 WHERE 0;\n", "begin it with a comment"),
        ("-- \nSELECT 1 WHERE 0;\n", "begin it with a comment"),
        ("-- Two.\nSELECT 1; SELECT 2;\n", "one SELECT a file, not 2"),
        ("-- None.\n", "one SELECT a file, not 0"),
        ("-- Asks.\nSELECT :now;\n", "takes no :parameter"),
        ("-- Wide.\nSELECT ?;\n", "unnamed parameter"),
    ],
)
def test_refuses_an_unusable_file(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "one.sql").write_text(text)
    with pytest.raises(InvariantError, match="one.sql: .*" + words):
        read(tmp_path)


def test_refuses_a_folder_without_invariants(tmp_path: Path) -> None:
    with pytest.raises(InvariantError, match="holds no invariant"):
        read(tmp_path)


def test_an_invariant_cannot_write(tmp_path: Path) -> None:
    file, folder = tmp_path / "shop.db", tmp_path / "invariants"
    up(file)
    folder.mkdir()
    (folder / "one.sql").write_text("-- Deletes.\nDELETE FROM locations;\n")

    async def work(db: Database) -> None:
        await check(db, folder)

    with pytest.raises(InvariantError, match="syntax error"):
        using(file, work)
    assert counts(file)["locations"] == 1

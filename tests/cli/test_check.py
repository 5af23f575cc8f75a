"""`tally check`: invariants as files, on the shop's own schema and on small ones."""

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
    assert done.json["invariants"][1] == {
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

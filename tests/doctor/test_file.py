"""A file is looked at in whatever state it is, and not a byte changes, nor does a file appear beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db.engines.sqlite import binding
from doctor.file import Unreadable, header_of, read_only
from tests.doctor import older_shop
from tests.doctor.making import connect, examined, keys, made, make, state

HOLDER = """
import sys
from db.engines.sqlite import binding
c = binding.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    c.execute(statement)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path, *statements: str) -> Iterator[subprocess.Popen[str]]:
    """The file in another process's hands, which ran `statements` and keeps its connection."""
    words = [sys.executable, "-c", HOLDER, str(path), *statements]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_closed_wal_file_stays_alone(tmp_path: Path) -> None:
    path = make(tmp_path / "a b?c#d%20.db", older_shop, wal=True)
    before = state(tmp_path)
    assert list(before) == [path.name]
    assert ("negative_stock", "products.stock") in keys(examined(path))
    assert state(tmp_path) == before


def test_a_wal_file_in_use_shows_what_stands_in_its_log(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE products (id INTEGER PRIMARY KEY, stock INTEGER)",
    )
    with held(path, "INSERT INTO products VALUES (1, -5)"):
        before = state(tmp_path)
        assert ("negative_stock", "products.stock") in keys(examined(path))
        after = state(tmp_path)
    # The index of the log is memory that its users share: each reader marks in it how far it reads.
    assert {name: after[name] for name in ("shop.db", "shop.db-wal")} == {
        name: before[name] for name in ("shop.db", "shop.db-wal")
    }
    assert set(after) == set(before)


def test_a_log_without_its_index_is_read_from_a_copy(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE products (id INTEGER PRIMARY KEY, stock INTEGER)",
    )
    there = tmp_path / "there"
    there.mkdir()
    with held(path, "INSERT INTO products VALUES (1, -5)"):
        for name in ("shop.db", "shop.db-wal"):
            shutil.copy(tmp_path / name, there / name)
    before = state(there)
    assert ("negative_stock", "products.stock") in keys(examined(there / "shop.db"))
    assert state(there) == before


def test_a_rollback_file_that_another_reads_and_writes(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    with held(path, "BEGIN IMMEDIATE", "UPDATE products SET stock = 1 WHERE id = 9"):
        before = state(tmp_path)
        assert ("negative_stock", "products.stock") in keys(examined(path))
        assert state(tmp_path) == before


def test_an_interrupted_transaction_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    (tmp_path / "shop.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 504)
    before = state(tmp_path)
    with pytest.raises(Unreadable, match="interrupted transaction"), read_only(path):
        pass
    assert state(tmp_path) == before


def test_a_file_that_changes_under_an_immutable_reader_is_told(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop, wal=True)
    with pytest.raises(Unreadable, match="was written to"), read_only(path), closing(connect(path)) as other:
        other.execute("UPDATE products SET stock = 3")


def test_what_is_opened_cannot_be_written(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    before = state(tmp_path)
    with read_only(path) as connection:
        for statement in ("DELETE FROM users", "CREATE TABLE t (a)", "PRAGMA user_version = 9"):
            with pytest.raises(binding.Error, match="readonly"):
                connection.execute(statement)
    assert state(tmp_path) == before


def test_an_empty_file_is_a_database_without_tables(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    found = examined(tmp_path / "empty.db")
    assert found.findings == [] and found.case.schema.tables == {}
    assert [one.stat().st_size for one in tmp_path.iterdir()] == [0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"not a database " * 100, "no SQLite database"), (b"SQLite format 3\0", "no SQLite database")],
)
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "shop.db"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=words):
        header_of(path)
    with pytest.raises(Unreadable, match="there is no file"):
        header_of(tmp_path / "missing.db")
    with pytest.raises(Unreadable, match="is a folder"):
        header_of(tmp_path)
    assert list(state(tmp_path)) == ["shop.db"]


def test_a_damaged_file_is_named_so(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    content = bytearray(path.read_bytes())
    for page in range(3, len(content) // 4096, 3):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    before = state(tmp_path)
    found = examined(path)
    assert found.findings[0].key == ("corruption", "database")
    assert state(tmp_path) == before


def test_the_version_that_wrote_is_held_against_known_bugs(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop, wal=True)
    assert "corruption_bug" not in {one.code for one in examined(path).findings}
    for version, wal, expected in (
        (3_051_002, True, {"WAL reset"}),
        (3_051_003, True, set()),
        (3_051_002, False, set()),
        (3_036_000, True, {"WAL reset", "savepoint rollback"}),
        (3_037_001, False, {"savepoint rollback"}),
        (3_037_002, False, set()),
    ):
        content = bytearray(path.read_bytes())
        content[96:100] = version.to_bytes(4, "big")
        content[18:20] = b"\2\2" if wal else b"\1\1"
        path.write_bytes(content)
        found = {one.place for one in examined(path).findings if one.code == "corruption_bug"}
        assert found == expected, version

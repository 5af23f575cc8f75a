"""What must not go unnoticed: a connection that does not keep its promises, a full disk, a file that may not be
written, an old SQLite, a process that is killed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.engines import sqlite
from db.engines.sqlite import open_connection, path_of
from db.helper import DatabaseError, Unavailable, connect
from tests.db.engine_support import COUNT, SHELF, made, one, opened, shelf

HERE = Path(__file__).parent
PLANTED = {
    # What is asked of the connection, and what a strange build makes of it.
    "PRAGMA foreign_keys = ON": "PRAGMA foreign_keys = OFF",
    "PRAGMA synchronous = FULL": "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_mode": "SELECT 'delete'",
    "PRAGMA ignore_check_constraints": "SELECT 1",
    "PRAGMA writable_schema": "SELECT 1",
    "SELECT json_extract('{}', 'guard:selftest:it''s \"ok\"')": "SELECT json_extract('{}', 'guard:selftest:its ok')",
}


@pytest.mark.parametrize("asked", PLANTED)
@pytest.mark.parametrize("serving", [False, True])
def test_refuses_a_connection_that_does_not_keep_its_promises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, serving: bool
) -> None:
    made(tmp_path)

    class Strange(sqlite.binding.Connection):  # type: ignore[misc]
        def execute(self, sql: str, *values: Any) -> Any:
            return super().execute(PLANTED[asked] if sql.startswith(asked) else sql, *values)

    plain = sqlite.binding.connect
    monkeypatch.setattr(sqlite.binding, "connect", lambda *a, **known: plain(*a, factory=Strange, **known))

    async def use() -> None:
        db = await connect(f"sqlite:///{made(tmp_path)}", serving=serving)
        try:
            await db.batch([shelf(1)])
        finally:
            await db.close()

    with pytest.raises(DatabaseError, match=r"journal_mode is|reads back|words a guard"):
        asyncio.run(use())


@pytest.mark.parametrize("pragma", ["ignore_check_constraints", "writable_schema"])
def test_refuses_a_connection_whose_checks_are_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pragma: str
) -> None:
    plain = sqlite.binding.connect

    def planted(*arguments: Any, **known: Any) -> Any:
        connection = plain(*arguments, **known)
        connection.execute(f"PRAGMA {pragma} = 1")
        return connection

    monkeypatch.setattr(sqlite.binding, "connect", planted)
    with pytest.raises(DatabaseError, match=f"PRAGMA {pragma} reads back 1, not 0"):
        open_connection(tmp_path / "shop.db")


@pytest.mark.parametrize("serving", [False, True])
def test_says_when_the_file_is_no_database(tmp_path: Path, serving: bool) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "letter.db").write_text("Dear shop, " * 1_000)

    async def use(name: str) -> None:
        db = await connect(f"sqlite:///{tmp_path / name}", serving=serving)
        try:
            await db.read(COUNT())
        finally:
            await db.close()

    for name in ("folder.db", "letter.db"):
        with pytest.raises(Unavailable, match=r"unable to open|not a database"):
            asyncio.run(use(name))


def test_a_relative_url_is_relative() -> None:
    assert path_of("sqlite:///.tallystick/shop.db") == Path(".tallystick/shop.db")
    assert path_of("sqlite:////var/shop.db") == Path("/var/shop.db")


@pytest.mark.parametrize("serving", ["handler", "serving"])
def test_a_full_disk_loses_nothing_and_is_told(tmp_path: Path, serving: str) -> None:
    """In a child whose files may not grow: a full disk would fail in the same way, with another sentence."""
    done = _child("full_disk", made(tmp_path), serving)
    acknowledged, refused, after = done.stdout.split()
    assert int(refused) >= 3, done.stdout
    with closing(open_connection(made(tmp_path))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        kept = connection.execute("SELECT count(*) FROM shelves").fetchone()[0]
    assert kept == int(acknowledged) + int(after)
    assert int(after) == 5


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a user without rights may look into."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("serving", ["handler", "serving"])
def test_a_file_that_may_not_be_written_is_told(open_folder: Path, serving: str) -> None:
    path = made(open_folder)
    path.chmod(0o444)
    if os.getuid() != 0:
        open_folder.chmod(0o555)
    done = _child("read_only", path, serving)
    open_folder.chmod(0o755)
    assert done.stdout == "Unavailable\n", done.stdout + done.stderr


def test_works_without_a_modern_sqlite(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "old_sqlite.py"), str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("new"):
        assert done.stdout == "new SqliteServing wal 20\n"
        assert done.stderr == ""
    else:
        assert done.stdout == "old SqliteFile truncate 20\n"
        assert done.stderr.count("has a WAL corruption race") == 1
        assert "Install pysqlite3" in done.stderr


@pytest.mark.parametrize("serving", ["handler", "serving"])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, serving: str) -> None:
    acknowledged = _killed_under_load(made(tmp_path), serving, "after", rounds=5)
    assert len(acknowledged) > 40
    with closing(open_connection(made(tmp_path))) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM shelves")}
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        # A batch writes a shelf and its piece: no half of one.
        assert connection.execute("SELECT count(*) FROM pieces").fetchone()[0] == len(kept)
    assert acknowledged - kept == set()


def test_the_kill_test_sees_an_acknowledgement_that_came_too_early(tmp_path: Path) -> None:
    acknowledged = _killed_under_load(made(tmp_path), "serving", "before", rounds=5)
    with closing(open_connection(made(tmp_path))) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM shelves")}
    assert acknowledged - kept


def _killed_under_load(path: Path, serving: str, acknowledge: str, rounds: int) -> set[str]:
    """What a child under load acknowledged before it was killed, over some rounds on one file."""
    acknowledged: set[str] = set()
    for number in range(rounds):
        arguments = [
            sys.executable,
            str(HERE / "engine_child.py"),
            f"load_{acknowledge}",
            str(path),
            serving,
            str(number),
        ]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            acknowledged.add(child.stdout.readline().strip())
            time.sleep(0.15 + 0.07 * number)
            child.kill()
            lines = child.stdout.read().split("\n")
            # The last line may have been cut by the kill.
            acknowledged |= set(lines[:-1])
    return acknowledged


def _child(what: str, path: Path, serving: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(HERE / "engine_child.py"), what, str(path), serving],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_one_connection_sees_what_another_wrote(tmp_path: Path) -> None:
    with opened(tmp_path) as (db, run), closing(open_connection(made(tmp_path))) as other:
        other.execute(SHELF.text, ("shelf-1", "One"))
        assert one(db, run, COUNT.text) == 1

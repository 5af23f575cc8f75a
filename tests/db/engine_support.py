"""What the engine tests share: a small schema in a file of its own, a database on it, and a loop to run it on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from db.engines.sqlite import open_connection
from db.helper import Database, Row, connect
from db.sql import Statement, guard, unregistered

Run = Callable[[Coroutine[Any, Any, Any]], Any]

SCHEMA = (
    """CREATE TABLE shelves (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL CONSTRAINT shelves_name_not_empty CHECK (length(name) > 0)
    ) STRICT""",
    "CREATE UNIQUE INDEX shelves_name_once ON shelves (lower(name))",
    """CREATE TABLE pieces (
      id TEXT PRIMARY KEY,
      shelf_id TEXT NOT NULL REFERENCES shelves (id),
      count INTEGER NOT NULL CONSTRAINT pieces_count_not_negative CHECK (count >= 0)
    ) STRICT""",
    "CREATE TABLE history (id INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT",
    """CREATE TRIGGER history_append_only_update BEFORE UPDATE ON history
    BEGIN SELECT RAISE(ABORT, 'history_append_only: it is not changed'); END""",
    """CREATE TRIGGER history_deletion_refused BEFORE DELETE ON history
    BEGIN SELECT RAISE(ABORT, 'history_deletion_refused: it is kept'); END""",
    """CREATE TABLE everything (
      id TEXT PRIMARY KEY, number INTEGER, fraction REAL, text TEXT, flag INTEGER, missing TEXT, words TEXT
    ) STRICT""",
)
SHELF = unregistered("INSERT INTO shelves (id, name) VALUES (:id, :name)")
PIECE = unregistered("INSERT INTO pieces (id, shelf_id, count) VALUES (:id, :shelf_id, :count)")
WRITTEN = unregistered("INSERT INTO history (what) VALUES (:what)")
COUNT = unregistered("SELECT (SELECT count(*) FROM shelves) + (SELECT count(*) FROM pieces) AS n")
NEVER = unregistered(guard("0", "never", "'because'"))
FOREVER = unregistered("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
WRITE_FOREVER = unregistered(
    "INSERT INTO history (what) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
)


def made(folder: Path) -> Path:
    """The file of the small schema."""
    path = folder / "shop.db"
    if not path.exists():
        with closing(open_connection(path)) as connection:
            for statement in SCHEMA:
                connection.execute(statement)
    return path


@contextmanager
def opened(folder: Path, *, serving: bool = False, **options: Any) -> Iterator[tuple[Database, Run]]:
    """A database on the small schema, and what runs coroutines on its loop."""
    path = made(folder)
    with asyncio.Runner() as runner:
        db = runner.run(connect(f"sqlite:///{path}", serving=serving, **options))
        try:
            yield db, runner.run
        finally:
            runner.run(db.close())


def rows(db: Database, run: Run, sql: str, **values: Any) -> list[Row]:
    found: list[Row] = run(db.read(unregistered(sql)(**values)))[0]
    return found


def one(db: Database, run: Run, sql: str, **values: Any) -> Any:
    [row] = rows(db, run, sql, **values)
    [value] = row.values()
    return value


def shelf(number: int | str) -> Statement:
    return SHELF(id=f"shelf-{number}", name=f"Shelf {number}")


@contextmanager
def locked(path: Path) -> Iterator[Callable[[], None]]:
    """Another process holds the write lock, until the block ends or the yielded function is called."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom db.engines.sqlite import open_connection\n"
        "connection = open_connection(Path(sys.argv[1]))\nconnection.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\nsys.stdin.readline()\nconnection.execute('ROLLBACK')\nconnection.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        stdin = holder.stdin

        def release() -> None:
            if not stdin.closed:
                stdin.close()

        try:
            yield release
        finally:
            release()
            holder.wait(30)

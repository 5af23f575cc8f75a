"""A file opened so that not one byte of it changes, and nothing appears beside it.

A file in WAL mode is the difficult one: `mode=ro` alone makes `-wal` and `-shm` and leaves them there. So a file
without a log is read as immutable (nobody has it open, or there would be a log), one with both beside it is in use and
read as everybody reads it, and one whose index is lost is read from a copy.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from db.engines.sqlite import binding

MAGIC: Final = b"SQLite format 3\0"
Version = tuple[int, int, int]


class Unreadable(Exception):
    """A file that cannot be examined; the sentence says why and what to do."""


class Header(NamedTuple):
    """What the first 100 bytes say. `written_by` is the SQLite that wrote last, None where it did not say."""

    size: int
    wal: bool
    page_size: int
    written_by: Version | None
    auto_vacuum: bool
    user_version: int


def header_of(path: Path) -> Header:
    """Raises Unreadable for what is no SQLite database; an empty file is one without tables."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise Unreadable(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise Unreadable(f"{path} is a folder: name the database's file in it") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error
    if not head:
        return Header(0, False, 0, None, False, 0)
    if len(head) < 100 or not head.startswith(MAGIC):
        raise Unreadable(f"{path} is no SQLite database (or an encrypted one): it does not begin as one")

    def number(at: int, length: int = 4) -> int:
        return int.from_bytes(head[at : at + length], "big")

    version = number(96)
    written_by = (version // 1_000_000, version // 1000 % 1000, version % 1000) if version else None
    page_size = 65_536 if number(16, 2) == 1 else number(16, 2)
    return Header(size, head[18] == 2, page_size, written_by, number(52) > 0, number(60))


@contextmanager
def read_only(path: Path, driver: Any = binding) -> Iterator[Any]:
    """A connection to `path`. Raises Unreadable, also if a file read as immutable has changed meanwhile."""
    header = header_of(path)
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    journal = path.with_name(path.name + "-journal")
    if not header.wal and journal.is_file() and _is_hot(journal):
        raise Unreadable(
            f"{path} has a journal of an interrupted transaction beside it ({journal.name}): whoever owns the database "
            "opens it once with the program that writes it, which rolls it back"
        )
    if header.wal and log.is_file() and log.stat().st_size and not index.is_file():
        with tempfile.TemporaryDirectory(prefix="tally-doctor-") as folder:
            copy = Path(folder) / "copy.db"
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name("copy.db-wal"))
            yield from _opened(copy, "mode=ro", driver)
        return
    immutable = header.wal and not (log.is_file() and index.is_file())
    before = _state(path)
    yield from _opened(path, "mode=ro&immutable=1" if immutable else "mode=ro", driver)
    if immutable and _state(path) != before:
        raise Unreadable(f"{path} was written to while it was read: what was seen may be torn. Run it again")


def _opened(path: Path, options: str, driver: Any) -> Iterator[Any]:
    try:
        connection = driver.connect(
            f"file:{quote(str(path.resolve()))}?{options}",
            uri=True,
            timeout=10.0,
            isolation_level=None,
            check_same_thread=False,
        )
    except driver.Error as error:
        raise Unreadable(f"{path}: {error}") from error
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        # A stranger's schema may hold functions and virtual tables with side effects: they are not trusted.
        for pragma in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        yield connection
    finally:
        connection.close()


def _is_hot(journal: Path) -> bool:
    """Whether it waits to be rolled back: a finished one is empty, or its head is zero."""
    with journal.open("rb") as file:
        return file.read(8).strip(b"\0") != b""


def _state(path: Path) -> tuple[int, int]:
    told = path.stat()
    return told.st_size, told.st_mtime_ns

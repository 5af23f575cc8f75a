"""Rows that were read before it is known which of them will change: by key, on the disk."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from db.backup_tables import Key, Line, Table, line_of, quoted
from db.engines.sqlite import binding
from db.helper import Row

CACHE_KB: Final = 16_384
ROWS_AT_ONCE: Final = 2_000


class Spool:
    """Rows of several tables, in the order of the database itself, in a file of `folder` for its owner only.

    The file has no name, so that it goes with the process whatever ends it. Not SQLite's own temporary file: some
    builds keep that in memory.
    """

    def __init__(self, tables: Sequence[Table], folder: Path) -> None:
        number, self._path = tempfile.mkstemp(prefix=".tallystick-", dir=folder)
        os.close(number)
        self._connection: Any = binding.connect(self._path, isolation_level=None)
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = OFF",
            "synchronous = OFF",
            f"cache_size = -{CACHE_KB}",
        ):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        for table in tables:
            keys = _keys(table)
            self._connection.execute(
                f"CREATE TABLE {quoted(table.name)} ({keys}, text TEXT, PRIMARY KEY ({keys})) WITHOUT ROWID"
            )
        self._unlink()

    def put(self, table: Table, lines: Sequence[Line]) -> None:
        """Keep the rows, instead of those with the same keys."""
        marks = ", ".join("?" * (len(table.key) + 1))
        self._connection.execute("BEGIN")
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {quoted(table.name)} VALUES ({marks})",
            [(*line.key, line.text) for line in lines],
        )
        self._connection.execute("COMMIT")

    def change(self, table: Table, rows: Sequence[Row]) -> None:
        """Keep the rows as they are now; forget those that are gone."""
        where = " AND ".join(f"k{number} = ?" for number in range(len(table.key)))
        gone: list[Key] = [tuple(json.loads(row["of_key"])) for row in rows if row["gone"]]
        self._connection.executemany(f"DELETE FROM {quoted(table.name)} WHERE {where}", gone)
        self.put(table, [line_of(table, row) for row in rows if not row["gone"]])

    def count(self, table: Table) -> int:
        (count,) = self._connection.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()
        return int(count)

    def texts(self, table: Table) -> Iterator[list[str]]:
        """The rows' texts, some at a time."""
        cursor = self._connection.execute(f"SELECT text FROM {quoted(table.name)} ORDER BY {_keys(table)}")
        while some := cursor.fetchmany(ROWS_AT_ONCE):
            yield [text for (text,) in some]

    def close(self) -> None:
        self._connection.close()
        self._unlink()

    def _unlink(self) -> None:
        with suppress(OSError):  # where an open file keeps its name, it goes when it is closed
            Path(self._path).unlink()


def _keys(table: Table) -> str:
    return ", ".join(f"k{number}" for number in range(len(table.key)))

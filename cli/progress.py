"""How far a long command is, on a terminal; where the output goes elsewhere, nothing."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Final

EVERY_SECONDS: Final = 0.1
BAR: Final = 24


class Progress:
    """A line on standard error that is written over, and gone at the end."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._what = ""
        self._done = 0
        self._told_at = 0.0

    def tell(self, what: str, table: str, rows: int, total: int) -> None:
        """`rows` more of `total` were done of what the verb `what` says, the last of them of `table`."""
        if what != self._what:
            self._what, self._done, self._told_at = what, 0, 0.0
        self._done += rows
        now = time.monotonic()
        if not self._shown or now - self._told_at < EVERY_SECONDS:
            return
        self._told_at = now
        part = min(self._done / total, 1.0) if total else 1.0
        bar = "#" * round(BAR * part)
        line = f"{what:<6} [{bar:<{BAR}}] {part:4.0%}  {self._done:,} of {total:,} rows  {table}"
        print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def size(count: int) -> str:
    """A number of bytes, for a person."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count} bytes"

"""Kill a migration between any two statements, for every version, and start it again. A script, run by a test.

Each attempt is a forked child whose SQLite connections report every statement before it runs; at the k-th the child is
killed (SIGKILL: nothing is rolled back, closed or written by anybody). Going up is killed at every point; going down,
which is one batch with a dry run and counts around it, at every n-th (the second argument, 12 by default; 1 takes
minutes). A second start is tried after each third kill. Prints a JSON line for each version and direction.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from db.engines import sqlite
from db.migrate import Migrations
from tests.db.migration_support import down, older_shop, state, up

RESUMED = 3
"""A second start after each third kill: it always finds one of two whole files."""
FILLED = 5
"""The version that is filled, so that the scale fixes meet rows."""


def in_child(work: Callable[[], Any], kill_at: int = 0) -> bool:
    """Do `work` in a child of its own, killed before its `kill_at`-th statement; whether it came to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if kill_at:
                _kill_before(kill_at)
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"the child failed by itself (kill_at={kill_at})")
    return True


def _kill_before(number: int) -> None:
    connect = sqlite.binding.connect
    seen = 0

    def trace(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def connected(*args: Any, **options: Any) -> Any:
        connection = connect(*args, **options)
        connection.set_trace_callback(trace)
        return connection

    sqlite.binding.connect = connected


def _made(path: Path) -> None:
    sqlite.open_connection(path).close()


def copied(source: Path, target: Path) -> Path:
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    shutil.copy(source, target)
    return target


def killed_everywhere(
    before: Path, after: Path, work: Callable[[Path], Any], stride: int, look: Callable[[Path], Any] = state
) -> dict[str, int]:
    """Every point: the file is as before or as after, nothing between, and a second start from either ends as after."""
    wholes = look(before), look(after)
    found = [0, 0]
    for number, point in enumerate(range(1, 10_000, stride)):
        path = copied(before, before.parent / "killed.db")
        ended = in_child(partial(work, path), point)
        reached = look(path)
        if reached not in wholes:
            raise SystemExit(f"half a migration: killed before statement {point}")
        found[wholes.index(reached)] += 1
        if ended or number % RESUMED == 0:
            in_child(partial(work, path))
            if look(path) != wholes[1]:
                raise SystemExit(f"not resumed after a kill before statement {point}")
        if ended:
            return {"kills": sum(found) - 1, "as_before": found[0], "as_after": found[1]}
    raise SystemExit("no end of statements")


def main(folder: Path, stride: int) -> None:
    for version in range(1, Migrations().latest + 1):
        before, after = folder / f"{version - 1}.db", folder / f"{version}.db"
        if version == 1:
            in_child(partial(_made, before))
        elif version == FILLED + 1:
            before = folder / "filled.db"
            in_child(partial(older_shop, before))
        shutil.copy(before, after)
        in_child(partial(up, after, to=version))
        for direction, source, target, to in (("up", before, after, version), ("down", after, before, version - 1)):
            work = partial(up, to=to) if direction == "up" else partial(down, to=to, lose_data=True)
            if direction == "down":
                # A table `migrations` stays when its last version goes, so the way back has an end of its own.
                target = folder / "back.db"
                copied(source, target)
                in_child(partial(down, target, to, lose_data=True))
            told = killed_everywhere(source, target, work, 1 if direction == "up" else stride)
            print(json.dumps({"version": version, "direction": direction, **told}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12)

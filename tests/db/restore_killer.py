"""Kill a restore between any two statements and ask the shop's endpoints. A script, run by a test.

Each attempt is a forked child whose SQLite connections to the target report every statement before it runs; at the k-th
the child is killed (SIGKILL). Then the real handlers are asked: until the last batch is kept every one must answer 503,
/health with the reason; after it the shop must be whole. And a second restore, tried after each third kill, ends well
wherever that was.
The first argument is a folder with `shop.zip` and `whole.db`, what a restore makes of it; the second how many
statements lie between two kills (the first and the last ones are all tried). Prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from api.database import close_database
from api.settings import settings
from db.engines import sqlite
from db.helper import connect
from db.migrate import Migrations
from db.restore import restore
from tests.db.backup_support import quiet
from tests.db.migration_support import state
from tests.shop import LOOP, find, invoke
from tools.runtime.events import event

ENVIRONMENT = {
    "SECRET_KEY": "for-tests-only-0123456789abcdef-0123456789abcdef",
    "LOG_LEVEL": "error",
    "STAGE": "test",
}
ENDS = 8
"""So many of the first and of the last statements are all killed at."""
ASKED: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/health", None),
    ("GET", "/products", None),
    ("GET", "/products/olive-oil", None),
    ("GET", "/products?q=honey", None),
    ("GET", "/categories", None),
    ("POST", "/carts", {}),
    ("POST", "/checkout", {"lines": [{"variant_id": f"variant_{'0' * 26}", "quantity": 1}]}),
    ("POST", "/checkout/quote", {"lines": [{"variant_id": f"variant_{'0' * 26}", "quantity": 1}]}),
    ("POST", "/events", {"event_type": "pageview"}),
    ("GET", "/orders", None),
    ("POST", "/stock/adjustments", {"variant_id": f"variant_{'0' * 26}", "delta": 1, "reason": "receipt"}),
)
STAFF = ("/orders", "/stock/adjustments")


def run(path: Path, backup: Path, again: bool) -> None:
    async def work() -> None:
        db = await connect(f"sqlite:///{path}", timeout_ms=60_000)
        try:
            await restore(db, backup, Migrations(), quiet, again=again)
        finally:
            await db.close()

    asyncio.run(work())


def in_child(work: Any, path: Path, kill_at: int = 0) -> tuple[bool, int]:
    """Do `work` in a child, killed before the `kill_at`-th statement on `path`; whether it ended, and how many ran."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            traced(path, kill_at, writing)
            work()
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        seen = len(told.read())
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False, seen
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"the child failed by itself (kill_at={kill_at})")
    return True, seen


def traced(path: Path, kill_at: int, writing: int) -> None:
    connect_ = sqlite.binding.connect
    seen = 0

    def trace(_: str) -> None:
        nonlocal seen
        seen += 1
        os.write(writing, b".")
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def connected(name: str, *args: Any, **options: Any) -> Any:
        connection = connect_(name, *args, **options)
        if name == str(path):
            connection.set_trace_callback(trace)
        return connection

    sqlite.binding.connect = connected


def answers(path: Path) -> list[tuple[str, int, str | None]]:
    """What each endpoint answers: its path, the status, and of /health the reason."""
    os.environ["DATABASE_URL"] = f"sqlite:///{path}"
    settings.cache_clear()
    found = []
    for number, (method, target, body) in enumerate(ASKED):
        headers = {"content-type": "application/json", "idempotency-key": f"key-{number}"}
        if target in STAFF:
            headers["authorization"] = "Bearer sk_" + "A" * 43
        sent = event(method, target, headers=headers, body=None if body is None else json.dumps(body))
        reply = invoke(find(method, target.partition("?")[0]), sent)
        found.append((target, reply.status, reply.body.get("reason") if target == "/health" else None))
    LOOP.run_until_complete(close_database())
    return found


def emptied(path: Path) -> Path:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    return path


def points(count: int, stride: int) -> Iterator[int]:
    for number in range(1, count + 1):
        if number <= ENDS or number > count - ENDS or number % stride == 0:
            yield number


def main(folder: Path, stride: int) -> None:
    backup, path, whole = folder / "shop.zip", folder / "killed.db", state(folder / "whole.db")
    _, count = in_child(partial(run, emptied(path), backup, again=False), path)
    told = {"statements": count, "untouched": 0, "refusing": 0, "whole": 0}
    for number, point in enumerate(points(count, stride)):
        ended, _ = in_child(partial(run, emptied(path), backup, again=False), path, point)
        if ended:
            raise SystemExit(f"not killed at {point} of {count}")
        kind = judged(path, whole, point)
        told[kind] += 1
        if kind != "whole" and number % 3 == 0:
            in_child(partial(run, path, backup, again=kind == "refusing"), path)
            if state(path)[0:2] != whole[0:2]:
                raise SystemExit(f"not restored again after a kill before statement {point}")
    print(json.dumps(told), flush=True)


def judged(path: Path, whole: Any, point: int) -> str:
    """Untouched, refusing or whole. Ends the script if it is none of them."""
    names = {name for _, name, _, _ in reached[0]} if (reached := state(path)) else set()
    found = answers(path)
    if all(status == 503 for _, status, _ in found):
        reason = "restore" if "restoring_state" in names else "database"
        if found[0][2] == reason:
            return "refusing" if names else "untouched"
    elif reached[0:2] == whole[0:2] and found[0][1] == 200 and not any(status >= 500 for _, status, _ in found):
        return "whole"
    raise SystemExit(f"killed before statement {point}: {sorted(names)[:9]} answer {found}")


if __name__ == "__main__":
    os.environ.update(ENVIRONMENT)
    asyncio.set_event_loop(LOOP)  # before any handler is imported: Mangum would make one of its own
    main(Path(sys.argv[1]), int(sys.argv[2]))

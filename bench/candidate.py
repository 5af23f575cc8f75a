"""One candidate in a process of its own: `python -m bench.candidate KIND FILE` (or the URL of a database).

Reads a number of requests from standard input, answers with the nanoseconds that each took (of a group: its share), as
JSON. Whatever can be made beforehand is made before the clock starts.
"""

from __future__ import annotations

import gc
import inspect
import json
import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from api.endpoint import Endpoint
from bench.workload import (
    CHECKOUT,
    LIST,
    Recorder,
    Sent,
    asked,
    checkout_events,
    customer,
    handler_of,
    list_events,
    prepare,
)
from db.engines import sqlite
from db.engines.sqlite import open_connection

PAGES: Final = 50
WARM: Final = 50
clock = time.perf_counter_ns


def copied(path: Path, suffix: str) -> Path:
    """A copy of a file that nobody has open."""
    copy = path.with_suffix(suffix)
    for rest in ("-wal", "-shm"):
        Path(f"{copy}{rest}").unlink(missing_ok=True)
    shutil.copy(path, copy)
    return copy


def bare(path: Path, group: int) -> Callable[[int], list[float]]:
    """The SQL of the checkout and nothing else: `group` checkouts per COMMIT, a savepoint each."""
    scratch = copied(path, ".scratch")
    prepare(scratch)
    handler, recorder, events = handler_of(CHECKOUT), Recorder(scratch), checkout_events(os.getpid())
    execute = open_connection(path).execute

    def read(statements: list[Sent]) -> None:
        execute("BEGIN")
        for text, values in statements:
            execute(text, values).fetchall()
        execute("ROLLBACK")

    def one(reads: list[Sent], writes: list[Sent]) -> None:
        read(reads)
        execute("BEGIN IMMEDIATE")
        for text, values in writes:
            execute(text, values).fetchall()
        execute("COMMIT")

    def many(plans: list[tuple[list[Sent], list[Sent]]]) -> None:
        for reads, _ in plans:
            read(reads)
        execute("BEGIN IMMEDIATE")
        for _, writes in plans:
            execute("SAVEPOINT one")
            for text, values in writes:
                execute(text, values).fetchall()
            execute("RELEASE one")
        execute("COMMIT")

    def run(count: int) -> list[float]:
        plans = [recorder.record(handler, next(events)) for _ in range(count)]
        took: list[float] = []
        for start in range(0, count, group):
            began = clock()
            if group == 1:
                one(*plans[start])
            else:
                many(plans[start : start + group])
            took += [(clock() - began) / group] * group
        return took

    return run


def handler(place: Path | str, token: str | None = None) -> Callable[[int], list[float]]:
    """The checkout's handler through Mangum, asked by nobody known or by the person of `token`."""
    prepare(place)
    checkout, events = handler_of(CHECKOUT), checkout_events(os.getpid() + (token is not None), token)

    def run(count: int) -> list[float]:
        sent = [next(events) for _ in range(count)]
        took: list[float] = []
        for one in sent:
            began = clock()
            answer = checkout(one, None)
            took.append(clock() - began)
            if answer["statusCode"] != 201:
                raise RuntimeError(f"checkout answered {answer['statusCode']}: {answer['body']}")
        return took

    return run


def handler_of_customer(path: Path) -> Callable[[int], list[float]]:
    """The same in turn by nobody known and by a customer who has logged in (the token is verified, the session and its
    rights are read): two times for each of `count`, one of each, which whatever disturbs the machine disturbs alike."""
    prepare(path)
    nobody, known = handler(path), handler(path, customer(path))

    def run(count: int) -> list[float]:
        return [took for _ in range(count) for took in (*nobody(1), *known(1))]

    return run


def handler_without_failpoints(path: Path) -> Callable[[int], list[float]]:
    """The same with the calls of failpoints taken out of what a checkout on a file runs through."""
    prepare(path)
    handler_of(CHECKOUT)
    sqlite.run_batch = _without_failpoints(sqlite.run_batch)
    Endpoint.__call__ = _without_failpoints(Endpoint.__call__)  # type: ignore[method-assign]
    return handler(path)


def _without_failpoints(function: Any) -> Any:
    """The function, compiled anew without them. Raises ValueError if it has none."""
    source = textwrap.dedent(inspect.getsource(function))
    stripped = re.sub(r"^ *failpoint\(.*\)\n", "", source, flags=re.M)
    if stripped == source:
        raise ValueError(f"{function.__name__} has no failpoint: there is nothing to compare")
    made: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{stripped}", function.__globals__, made)  # noqa: S102 - our own source
    return made[function.__name__]


def list_bare(path: Path) -> Callable[[int], list[float]]:
    """The SQL of the product list, which makes the JSON of every item."""
    prepare(path)
    listing, recorder = handler_of(LIST), Recorder(path)
    pages = [recorder.record(listing, page)[0] for page in list_events(listing, PAGES)]
    execute = open_connection(path).execute

    def run(count: int) -> list[float]:
        took: list[float] = []
        for number in range(count):
            began = clock()
            for text, values in pages[number % PAGES]:
                execute(text, values).fetchall()
            took.append(clock() - began)
        return took

    return run


def list_handler(path: Path) -> Callable[[int], list[float]]:
    """The product list's handler through Mangum."""
    prepare(path)
    listing = handler_of(LIST)
    pages = list_events(listing, PAGES)

    def run(count: int) -> list[float]:
        took: list[float] = []
        for number in range(count):
            began = clock()
            asked(listing, pages[number % PAGES])
            took.append(clock() - began)
        return took

    return run


def pages_per_commit(path: Path, count: int = 100) -> Callable[[int], list[float]]:
    """Not a time: the WAL pages that each of `count` checkouts writes."""
    copy = copied(path, ".pages")
    log = Path(f"{copy}-wal")
    with closing(open_connection(copy)) as watching:
        watching.execute("BEGIN")
        watching.execute("SELECT count(*) FROM locations").fetchall()  # a reader: the log is not begun anew
        watching.execute("ROLLBACK")
        page = watching.execute("PRAGMA page_size").fetchone()[0] + 24
        watching.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        watching.execute("BEGIN")
        watching.execute("SELECT count(*) FROM locations").fetchall()
        bare(copy, 1)(count)
        pages = (log.stat().st_size - 32) / page / count
    return lambda _: [pages]


KINDS: Final[dict[str, Callable[[Path], Callable[[int], Any]]]] = {
    "bare": lambda path: bare(path, 1),
    "bare8": lambda path: bare(path, 8),
    "bare32": lambda path: bare(path, 32),
    "handler": handler,
    "handler_of_customer": handler_of_customer,
    "handler_without_failpoints": handler_without_failpoints,
    "list_bare": list_bare,
    "list_handler": list_handler,
    "pages": pages_per_commit,
}


def main() -> None:
    _, kind, place = sys.argv
    run = handler(place) if kind == "remote" else KINDS[kind](Path(place))
    run(WARM)
    print("ready", flush=True)
    for line in sys.stdin:
        gc.collect()
        print(json.dumps(run(int(line))), flush=True)


if __name__ == "__main__":
    main()

"""`python -m bench.remote`: what a network costs a checkout on libSQL and on D1.

The handler runs in a process of its own, on the real server behind a proxy on loopback that adds nothing, or 25 ms to
each round trip. The ratio is what the added time comes to, in round trips: two, one to read and one to write. It is to
be 2.2 at most. Exit code 1 when a database does not add up afterwards; a missed target is told, not failed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from bench import shop
from bench.children import Child
from bench.report import Row, compared, table, timed
from db import invariants
from db.engines.sqlite import open_connection
from db.helper import Database, connect, insert_many
from db.migrate import Migrations
from proof.proxy import Proxy
from tools.engines import Engine, EngineError, engine

TABLES: Final = ("producers", "products", "variants", "inventory", "stock_moves")
TARGET: Final = 2.2
BLOCK: Final = 5
"""Checkouts one after the other, then as many of the other kind: what else the machine does meets both alike."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="libsql,d1", metavar="E,E", help="default: libsql,d1")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--requests", type=int, default=100, metavar="N", help="of a repetition; default: 100")
    parser.add_argument("--delay", type=float, default=25, metavar="MS", help="of a round trip; default: 25")
    args = parser.parse_args()
    if min(args.repetitions, args.requests // BLOCK) < 1 or args.delay <= 0:
        parser.error(f"1 or more repetitions of {BLOCK} or more requests, and a delay")
    rows: list[Row] = []
    wrong: list[str] = []
    try:
        for name in args.engines.split(","):
            with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder, _shop(name, Path(folder)) as found:
                rows += measured(found, args.repetitions, args.requests, args.delay)
                wrong += asyncio.run(_wrong(found))
    except EngineError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    print("databases after the run: " + ("consistent" if not wrong else "WRONG: " + "; ".join(wrong)))
    return 1 if wrong else 0


def measured(found: Engine, repetitions: int, requests: int, delay_ms: float) -> list[Row]:
    """Checkouts with and without the delay, in turn."""
    near: list[list[float]] = []
    far: list[list[float]] = []
    with Proxy(found.url) as proxy:
        child = Child("remote", proxy.url, found.token)
        try:
            proxy.forget()
            for _ in range(repetitions):
                near.append([])
                far.append([])
                for _ in range(requests // BLOCK):
                    near[-1] += child.run(BLOCK)
                    proxy.delay_answer = delay_ms / 1_000
                    far[-1] += child.run(BLOCK)
                    proxy.delay_answer = 0.0
            each = len(proxy.requests) / sum(map(len, near + far))
        finally:
            child.close()
    added = [
        (statistics.median(slow) - statistics.median(quick)) / 1e6 / delay_ms
        for quick, slow in zip(near, far, strict=True)
    ]
    one = timed("g", f"{found.name}: a checkout, through a proxy", near)
    one.note = f"{each:.2f} requests each"
    other = timed("g", f"{found.name}: the same, {delay_ms:.0f} ms a round trip", far)
    return [one, compared(other, added, TARGET, at_most=True)]


@contextmanager
def _shop(name: str, folder: Path) -> Iterator[Engine]:
    """The shop of the other benchmarks on an engine."""
    file = folder / "template.db"
    shop.make(file)
    with engine(name, folder / name) as started:
        asyncio.run(_fill(started, file))
        yield started


async def _fill(started: Engine, file: Path) -> None:
    db = await connect(started.url, token=started.token)
    try:
        await Migrations().up(db)
        for name in TABLES:
            await insert_many(db, name, _records(file, name))
    finally:
        await db.close()


def _records(file: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a table, but for its generated columns."""
    with closing(open_connection(file)) as connection:
        columns = [column for _, column, *_ in connection.execute(f"PRAGMA table_info({name})")]
        rows = connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


async def _wrong(found: Engine) -> list[str]:
    db: Database = await connect(found.url, token=found.token)
    try:
        return [f"{found.name}: {one.name}" for one in await invariants.check(db) if not one.holds]
    finally:
        await db.close()


if __name__ == "__main__":
    sys.exit(main())

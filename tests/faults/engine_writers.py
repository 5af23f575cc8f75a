"""Many writers on a libSQL server, half of whose batches a guard refuses: does one of them wait too long?

Goal: nobody waits, and nobody is told anything but what the guard says. `--connections` is how many requests the server
works on at once. sqld 0.24.32 is well with 2, and with its own default, 128, its writers wait for ever within seconds:
try a new version with `--connections 128` before the limit is lifted (tools/engines/sqld.py).

Prints one line of JSON. Exit codes: 0 nobody waited, 1 somebody did, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from db.helper import Database, DatabaseError, Refused, connect
from db.sql import guard, unregistered
from tools.engines import EngineError, engine
from tools.engines.sqld import CONNECTIONS

PATIENCE_SECONDS: Final = 4.5
"""Who waits for a lock that nobody has waits 5 s at least; a queue of all writers, on a busy machine, some seconds."""
CREATE: Final = unregistered("CREATE TABLE pages (id INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT")
REFUSE: Final = unregistered(guard("1 = 0", "no"))
ADD: Final = unregistered("INSERT INTO pages (content) VALUES (hex(zeroblob(6000)))")
"""A few pages of the log a batch: it is its checkpoints that matter."""
COUNT: Final = unregistered("SELECT count(*) AS pages FROM pages")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, metavar="N", help=f"default: {CONNECTIONS}")
    parser.add_argument("--writers", type=int, default=16, metavar="N", help="each with a client; default: 16")
    parser.add_argument("--seconds", type=float, default=20, metavar="S", help="default: 20")
    args = parser.parse_args(arguments)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tallystick-writers-") as folder,
            engine("libsql", Path(folder), connections=args.connections) as started,
        ):
            told = asyncio.run(_write(started.url, started.token, args.writers, args.seconds))
    except EngineError as error:
        print(f"writers: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"connections": args.connections, "writers": args.writers, **told}))
    return 1 if told["longest"] > PATIENCE_SECONDS or told["errors"] or told["found"] != told["kept"] else 0


async def _write(url: str, token: str, writers: int, seconds: float) -> dict[str, Any]:
    clients = [await connect(url, token=token) for _ in range(writers)]
    try:
        await clients[0].batch([CREATE()])
        until = time.monotonic() + seconds
        counts: Counter[str] = Counter()
        waits = await asyncio.gather(*[_one(client, until, counts) for client in clients])
        [[row]] = await clients[0].read(COUNT())
        return {
            **{name: counts.pop(name) for name in ("kept", "refused")},
            "errors": counts,
            "longest": round(max(waits), 3),
            "found": row["pages"],
        }
    finally:
        await asyncio.gather(*[client.close() for client in clients])


async def _one(db: Database, until: float, counts: Counter[str]) -> float:
    """The longest that one writer waited, in seconds."""
    longest, number = 0.0, 0
    while (began := time.monotonic()) < until:
        number += 1
        refused = [REFUSE()] if number % 2 else []
        try:
            await db.batch([*refused, ADD()])
            counts["kept"] += 1
        except Refused:
            counts["refused"] += 1
        except DatabaseError as error:
            counts[f"{type(error).__name__}: {error}"] += 1
        longest = max(longest, time.monotonic() - began)
    return longest


if __name__ == "__main__":
    sys.exit(main())

"""`kill -9` of an engine's server under load, again and again: is every order there that was acknowledged, and once?

Goal: no acknowledged order is lost, none is placed twice, and whoever does not know what became of an order learns it
by asking with the same key. Method: writers in four processes place orders through the real handler; the server's whole
process group is killed in mid-load and started anew on the same folder and port; afterwards rows are counted, and every
invariant holds. A process's death is not a power cut: what the kernel has, it keeps.

Prints one line of JSON. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from api.clock import milliseconds_now
from db.helper import connect
from db.migrate import Migrations
from proof.books import SqlBooks
from proof.memory import Memory
from tests.faults.placing import Placing, Told
from tools.engines import Engine, EngineError, engine

HANDLER: Final = "functions.checkout"
ARTICLES, PIECES = 8, 1_000_000
PATIENCE_SECONDS: Final = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    if min(args.kills, args.writers, args.processes) < 1:
        print("kills: kills, writers and processes are 1 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("LOG_LEVEL", "error")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tallystick-kills-") as folder,
            engine(args.engine, Path(folder)) as started,
        ):
            os.environ.update(started.environment)
            told = asyncio.run(_killed(args, started))
    except EngineError as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    print(json.dumps(told), flush=True)
    return 1 if told["lost"] or told["double"] or told["unanswered"] or told["wrong"] else 0


async def _killed(args: argparse.Namespace, started: Engine) -> dict[str, Any]:
    db = await connect(started.url)
    try:
        await Migrations().up(db)
        began, books = milliseconds_now(), SqlBooks(db)
        variants = await books.open(ARTICLES, PIECES)
        writing = Placing(args.handler, variants, args.writers, args.processes)
        try:
            away = await asyncio.to_thread(_kill_and_start, args, started, writing)
            told = await asyncio.to_thread(writing.stop)
        finally:
            writing.close()
        verdict = await books.compare(judged(told, variants, began))
    finally:
        await db.close()
    return {
        "engine": args.engine,
        "kills": args.kills,
        "writers": args.writers,
        "acknowledged": len(told.placed),
        "lost": len(verdict.lost),
        "double": len(verdict.double),
        "unknown": told.counts["unknown"],
        "found_by_key": sum(one.replayed for one in told.placed),
        "unanswered": len(told.unanswered),
        "asked_again": told.counts["busy"],
        "wrong": verdict.violated,
        "away": round(away, 1),
    }


def _kill_and_start(args: argparse.Namespace, started: Engine, writing: Placing) -> float:
    """Kill the server as often as wanted, each time when it is well at work. Seconds that it was away."""
    assert started.process is not None
    away = 0.0
    for _ in range(args.kills):
        writing.until(4 * args.writers, PATIENCE_SECONDS)
        time.sleep(random.uniform(0, 0.6))
        began = time.monotonic()
        started.process.kill()
        time.sleep(random.uniform(0, 0.2))
        started.process.start()
        away += time.monotonic() - began
    writing.until(4 * args.writers, PATIENCE_SECONDS)
    return away


def judged(told: Told, variants: Sequence[str], began: int) -> Memory:
    """What the writers were told, to be held against the rows."""
    memory = Memory(dict.fromkeys(variants, PIECES), began=began, wrong=list(told.wrong))
    for one in told.placed:
        memory.placed(one.key, one.order, one.cart)
    return memory


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="engine_kills.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("libsql", "d1"), default="libsql", help="default: libsql")
    parser.add_argument("--kills", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--writers", type=int, default=8, metavar="N", help="default: 8")
    parser.add_argument("--processes", type=int, default=4, metavar="P", help="that hold the writers; default: 4")
    parser.add_argument(
        "--handler", default=HANDLER, metavar="MODULE", help=f"the checkout under test; default: {HANDLER}"
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())

"""Is an order there when its buyer looks at once, on a replica, while others write?

Goal: with the `Read-After` of the answer, always. Method: writers in four processes keep the primary busy; readers
place orders through the real handler and look at each at once, every other one with the token through
`GET /orders/{order}`, and every other one past the contract, on the replica without a token, where some must be
missing: else this proves nothing. A proxy before the primary counts what it had to answer instead.

Prints one line of JSON. Exit codes: 0 none was missing with the token, 1 some were, or none without, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from api.auth import new_key
from api.clock import milliseconds_now, stamp
from api.database import close_database, database
from api.ids import typeids
from api.settings import settings
from db import invariants
from db.helper import Database, connect, insert_many
from db.migrate import Migrations
from db.statements import orders
from proof.asking import Asking, ask
from proof.books import SqlBooks
from proof.proxy import Proxy
from tests.faults.placing import Placing
from tests.race.buyers import Buyer
from tools.engines import Engine, EngineError, engine

ARTICLES, PIECES = 8, 1_000_000
BY_REPLICA_MIN: Final = 0.1
"""At least this share of the reads with a token must have been answered by the replica: else this proves little."""
FIND: Final = json.dumps(orders.FIND.text)[1:-1].encode()


class Seen(NamedTuple):
    """What the readers saw: milliseconds of each read, and the orders that were missing."""

    milliseconds: list[float]
    missing: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000, metavar="N", help="with the token, and as many without")
    parser.add_argument("--writers", type=int, default=8, metavar="N", help="default: 8")
    parser.add_argument(
        "--pause", type=float, default=0.3, metavar="S", help="of a writer after each order; default: 0.3 s"
    )
    parser.add_argument("--readers", type=int, default=4, metavar="N", help="default: 4")
    args = parser.parse_args(arguments)
    if min(args.orders, args.writers, args.readers) < 1:
        parser.error("orders, writers and readers are 1 or more")
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("LOG_LEVEL", "error")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tallystick-stale-") as folder,
            engine("libsql", Path(folder), replica=True) as started,
        ):
            told = asyncio.run(_looked(args, started))
    except EngineError as error:
        print(f"stale: {error}", file=sys.stderr)
        return 2
    print(json.dumps(told), flush=True)
    with_token, without = told["with_token"], told["without"]
    good = not with_token["missing"] and without["missing"] > 0 and not told["wrong"]
    return 0 if good and with_token["by_replica"] >= BY_REPLICA_MIN * args.orders else 1


async def _looked(args: argparse.Namespace, started: Engine) -> dict[str, Any]:
    db = await connect(started.url, token=started.token)
    try:
        await Migrations().up(db)
        books = SqlBooks(db)
        variants = await books.open(ARTICLES, PIECES)
        key = await _staff_key(db)
        os.environ.update(started.environment)
        writing = Placing("functions.checkout", variants, args.writers, 4, args.pause)
        try:
            await asyncio.to_thread(writing.until, args.writers, 60)
            with Proxy(started.url) as primary, Proxy(started.replica_url) as replica:
                os.environ.update(DATABASE_URL=primary.url, DATABASE_REPLICA_URL=replica.url)
                settings.cache_clear()
                seen = await _read_your_own(args, variants, key)
                await close_database()
                by_primary = sum(FIND in message.body for message in primary.requests)
        finally:
            told = await asyncio.to_thread(writing.stop)
            writing.close()
        wrong = [f"invariant {one.name}" for one in await invariants.check(db) if not one.holds]
    finally:
        await db.close()
    facts = [
        {
            "orders": len(one.milliseconds),
            "missing": len(one.missing),
            "p50_ms": round(statistics.median(one.milliseconds), 1),
            "longest_ms": round(max(one.milliseconds), 1),
        }
        for one in seen
    ]
    return {
        "writers": args.writers,
        "written_meanwhile": len(told.placed),
        "with_token": {**facts[0], "by_replica": args.orders - by_primary},
        "without": facts[1],
        "wrong": [*told.wrong, *wrong],
    }


async def _staff_key(db: Database) -> str:
    """A key that may read orders; its row is written before anything else, so that the replica has it."""
    key, prefix, hashed = new_key()
    moment = milliseconds_now()
    [identity] = typeids("apikey", 1, moment)
    times = {"created_at": stamp(moment), "updated_at": stamp(moment)}
    row = {"id": identity, "name": "stale reads", "prefix": prefix, "hash": hashed, "scopes": '["orders:read"]'}
    await insert_many(db, "api_keys", [{**row, **times}])
    return key


async def _read_your_own(args: argparse.Namespace, variants: Sequence[str], key: str) -> tuple[Seen, Seen]:
    from functions.checkout import checkout
    from functions.orders.view_order import view_order

    with_token, without = Seen([], []), Seen([], [])
    db = await database(settings())
    numbers = iter(range(2 * args.orders))

    async def placed() -> tuple[str, str]:
        buyer = Buyer(secrets.token_hex(16), {variants[0]: 1})
        headers = {"idempotency-key": buyer.key}
        answer = await ask(checkout, Asking("", "/checkout", body=json.loads(buyer.body()), headers=headers))
        assert answer.status == 201, answer
        return answer.body["id"], answer.headers["read-after"]

    async def reader() -> None:
        for number in numbers:
            order, token = await placed()
            began = time.perf_counter()
            if number % 2:
                [rows] = await db.read(orders.FIND(order=order, reference=None), replica=True)
                found, seen = bool(rows), without
            else:
                headers = {"authorization": f"Bearer {key}", "read-after": token}
                answer = await ask(view_order, Asking("", f"/orders/{order}", method="GET", headers=headers))
                assert answer.status in (200, 404), answer
                found, seen = answer.status == 200, with_token
            seen.milliseconds.append((time.perf_counter() - began) * 1_000)
            if not found:
                seen.missing.append(order)

    await asyncio.gather(*[reader() for _ in range(args.readers)])
    return with_token, without


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())

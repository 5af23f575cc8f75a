"""Somebody holds the write lock of the file: buyers wait a bounded time, hear `503` with Retry-After, and nothing is
written; once the lock is free the same keys get their orders.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from db.engines.sqlite import open_connection
from db.engines.trips import ATTEMPTS_MAX, CONNECT_SECONDS
from proof.asking import Told
from tests.faults.ground import HANDLER, Ground, Purchase, Row, Shop, asked, at_work, bought, hear, purchase

FAULT: Final = "lock is held"
WAIT_MAX: Final = CONNECT_SECONDS * ATTEMPTS_MAX + 10
"""A try waits for the lock, and there are three; the rest is for a busy machine."""
ROWS: Final = (
    "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM stock_moves) + (SELECT count(*) FROM outbox)"
)


def run(ground: Ground) -> Iterator[Row]:
    shop, row = Shop.new(ground.folder / "shop.db"), Row(FAULT)
    shop.here()
    some = [purchase(shop.memory) for _ in range(1 if ground.short else 4)]
    with closing(open_connection(shop.path)) as holder:
        before = _rows(holder)
        holder.execute("BEGIN IMMEDIATE")
        longest, told = at_work(_while_held(some))
        holder.execute("ROLLBACK")
        if _rows(holder) != before:
            row.wrong("something was written while another held the lock")
    row.injected = len(some)
    row.note = f"the longest wait was {longest:.1f} s"
    if longest > WAIT_MAX:
        row.wrong(f"a buyer waited for {longest:.1f} s")
    if any(one.status != 503 or "retry-after" not in one.headers for one in told):
        row.wrong(f"not a 503 with Retry-After: {[(one.status, one.code) for one in told]}")
    at_work(_afterwards(shop, some))
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    yield row


def _rows(connection: Any) -> int:
    return int(connection.execute(ROWS).fetchone()[0])


async def _while_held(some: list[Purchase]) -> tuple[float, list[Told]]:
    """The longest wait in seconds, and what all were told."""
    began, told = time.monotonic(), []
    longest = 0.0
    for one in some:
        began = time.monotonic()
        told.append(await asked(HANDLER, one))
        longest = max(longest, time.monotonic() - began)
    return longest, told


async def _afterwards(shop: Shop, some: list[Purchase]) -> None:
    for one, told in zip(some, await asyncio.gather(*[bought(HANDLER, one) for one in some]), strict=True):
        hear(shop.memory, one, told)

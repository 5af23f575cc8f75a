"""An engine's server is frozen (SIGSTOP) in mid-load for longer than the time-out, and goes on.

Buyers ask at the moment it stops and while it stands still: each hears `503` with Retry-After in a bounded time. Once
the server goes on, the same keys get their orders, whatever became of the first try.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any, Final

from api.settings import settings
from proof.asking import Told
from proof.memory import Memory
from tests.faults.ground import (
    HANDLER,
    Cannot,
    Ground,
    Purchase,
    Row,
    asked,
    at_work,
    bought,
    hear,
    judged,
    opened_on,
    purchase,
)  # fmt: skip
from tools.engines import Engine, engine, missing

FAULT: Final = "engine is frozen"
TIMEOUT_MS: Final = 2_000
WAIT_MAX: Final = 20.0
"""Of a buyer, in seconds: a few tries of the time-out, on a busy machine."""
BUYERS: Final = 4
ROUNDS: Final = 5


def run(ground: Ground) -> Iterator[Row]:
    if reason := missing():
        raise Cannot(reason)
    for name in ("libsql", "d1"):
        with engine(name, ground.folder / name) as started:
            yield _frozen(Row(f"{FAULT}: {name}"), started, 1 if ground.short else ROUNDS)


def _frozen(row: Row, started: Engine, rounds: int) -> Row:
    was = dict(os.environ)
    os.environ.update(started.environment, QUERY_TIMEOUT_MS=str(TIMEOUT_MS))
    settings.cache_clear()
    try:
        memory = asyncio.run(opened_on(started.url, started.token))
        longest = at_work(_rounds(row, started.process, memory, rounds))
        row.add(asyncio.run(judged(started.url, memory, started.token)))
    finally:
        os.environ.clear()
        os.environ.update(was)
        settings.cache_clear()
    row.acknowledged = memory.acknowledged
    row.note = f"the longest wait was {longest:.1f} s"
    if longest > WAIT_MAX:
        row.wrong(f"a buyer waited for {longest:.1f} s")
    return row


async def _rounds(row: Row, process: Any, memory: Memory, rounds: int) -> float:
    longest = 0.0
    for _ in range(rounds):
        before, during = ([purchase(memory) for _ in range(BUYERS)] for _ in range(2))
        for one in (purchase(memory) for _ in range(BUYERS)):  # its connections are open
            hear(memory, one, await bought(HANDLER, one))
        running = [asyncio.create_task(_waited(one)) for one in before]
        await asyncio.sleep(0.02)
        process.pause()
        try:
            row.injected += 1
            told = await asyncio.gather(*running, *[_waited(one) for one in during])
        finally:
            process.resume()
        longest = max(longest, *[seconds for _, seconds in told])
        for one, (answer, _) in zip([*before, *during], told, strict=True):
            _look(row, memory, one, answer, frozen=one in during)
        for one in [*before, *during]:
            hear(memory, one, await bought(HANDLER, one))
    return longest


def _look(row: Row, memory: Memory, one: Purchase, answer: Told, *, frozen: bool) -> None:
    if answer.status == 201 and not frozen:
        hear(memory, one, answer)
    elif answer.status != 503 or "retry-after" not in answer.headers:
        row.wrong(f"a frozen engine, and a buyer was told {answer.status} {answer.code}")


async def _waited(one: Purchase) -> tuple[Told, float]:
    began = time.monotonic()
    return await asked(HANDLER, one), time.monotonic() - began

"""One round trip, whatever the engine: what is looked at before it, how often it is tried, and what is told of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from db.helper import STATEMENTS_MAX, Busy, Conflict, Refused, Trip, observers
from db.sql import Sql, Statement

Result = TypeVar("Result")

CONNECT_SECONDS: Final = 5.0
ATTEMPTS_MAX: Final = 3


class Stopwatch:
    """Times a round trip and remembers its slowest statement."""

    __slots__ = ("began", "engine", "slowest", "slowest_seconds")

    def __init__(self, engine: str = "sqlite") -> None:
        self.engine = engine
        self.began = time.perf_counter()
        self.slowest: Sql | None = None
        self.slowest_seconds = 0.0

    def lap(self, sql: Sql, seconds: float) -> None:
        if seconds > self.slowest_seconds:
            self.slowest_seconds, self.slowest = seconds, sql

    def report(self, kind: str, statements: int, error: BaseException | None) -> None:
        seconds = time.perf_counter() - self.began
        trip = Trip(
            kind, self.engine, seconds, statements, self.slowest, self.slowest_seconds,
            type(error).__name__ if error else None, _what(error),
        )  # fmt: skip
        for observe in observers:
            observe(trip)


def _what(error: BaseException | None) -> str:
    if isinstance(error, Refused):
        return error.code
    return f"{error.kind} {error.what}".strip() if isinstance(error, Conflict) else ""


def checked(statements: Sequence[Statement], *, reading: bool = False) -> Sequence[Statement]:
    """The statements of a round trip, looked at before they are sent. Raises ValueError for too many or a write."""
    if not 0 < len(statements) <= STATEMENTS_MAX:
        raise ValueError(f"1 to {STATEMENTS_MAX} statements a round trip, not {len(statements)}")
    if reading and any([sql.writes for sql, _ in statements]):
        raise ValueError("a read changes nothing: send it as a batch")
    return statements


async def retried(run_once: Callable[[], Awaitable[Result]], attempts: int = ATTEMPTS_MAX) -> Result:
    """Repeat what is provably not run, with jittered back-off: `attempts` times, and `CONNECT_SECONDS`, at most."""
    patience = time.monotonic() + CONNECT_SECONDS
    for attempt in range(attempts):
        try:
            return await run_once()
        except Busy:
            if attempt == attempts - 1 or time.monotonic() > patience:
                raise
            await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, no secret
    raise AssertionError("unreachable")

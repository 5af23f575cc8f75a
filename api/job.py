"""@job: one typed async function in, one Lambda handler out, its schedule declared once.

A job works in rounds, each a straight line like an endpoint's: read at most ROWS_MAX rows after those of the round
before, decide, commit. So a run ends in bounded time whatever there is to do, two runs at once do no harm (the guards
in the batch let one through), and a row that breaks a rule stops no other: it is settled by itself, logged, and
passed over until the next run.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from api import clock, telemetry
from api.database import database, start
from api.ids import typeids
from api.settings import Settings, settings
from db.failpoints import failpoint
from db.helper import Busy, Conflict, Database, DatabaseError, Refused, Row, Unknown
from db.sql import Statement

ROWS_MAX: Final = 100
"""Rows that one batch settles."""
ATTEMPTS_MAX: Final = 3
SECONDS_MAX: Final = 20.0
"""A run begins no round after this; the next schedule goes on."""
MARGIN_SECONDS: Final = 3.0
"""Left of a Lambda's time for the last round and the answer."""
JOBS: Final[dict[str, Job]] = {}

Round = Callable[["JobCall"], Awaitable[dict[str, int]]]


class JobCall:
    """One round of a job. `after` is the last row of the round before, None in the first; `now` is taken once."""

    def __init__(self, name: str, known: Settings, db: Database, after: Row | None, *, alone: bool) -> None:
        self.name, self.settings, self.db, self.after = name, known, db, after
        self.milliseconds = clock.milliseconds_now()
        self.now = clock.stamp(self.milliseconds)
        self.actor = f"job:{name}"
        self.last: Row | None = None
        """The last row of this round; while there is one, another round follows."""
        self.failed = 0
        self._alone = alone

    def ids(self, prefix: str, count: int) -> list[str]:
        """`count` new ids that sort by time, and among themselves."""
        return typeids(prefix, count, self.milliseconds)

    def id(self, prefix: str) -> str:
        return typeids(prefix, 1, self.milliseconds)[0]

    async def read(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement, one snapshot."""
        return await self.db.read(*statements)

    async def batch(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """All statements or none; the rows of each."""
        return await self.db.batch(statements)

    async def settle(self, rows: Sequence[Row], plan: Callable[[Sequence[Row]], list[Statement]]) -> int:
        """Send the plan of all `rows` as one batch; if a rule refused that, each row's as a batch of its own.

        Returns how many were settled. `rows` have an `id`.
        """
        if not rows:
            return 0
        self.last = rows[-1]
        if not self._alone:
            await self.batch(plan(rows))
            return len(rows)
        settled = 0
        for row in rows:
            try:
                await self.batch(plan([row]))
                settled += 1
            except (Refused, Conflict) as error:
                if not is_stale(error):  # stale: somebody else has just done it
                    self.failed += 1
                    facts = {"job": self.name, "row": row["id"], "error": type(error).__name__, "why": why(error)}
                    telemetry.log.error("row not settled", extra={"facts": facts})
        return settled


def job(schedule: str) -> Callable[[Round], Job]:
    """Declare a job. `schedule` is an EventBridge expression: `rate(5 minutes)`, `cron(…)`.

    The function does one round and returns what it did, by name; the names are summed over the rounds.
    """
    return lambda one_round: Job(one_round, schedule)


class Job:
    """A scheduled function: what the template and the local server's timer are derived from."""

    def __init__(self, one_round: Round, schedule: str) -> None:
        self.round, self.schedule = one_round, schedule
        self.name: str = getattr(one_round, "__name__")  # noqa: B009 - a Callable has none for the type checker
        self.module = one_round.__module__
        self.document = one_round.__globals__.get("__doc__") or ""
        start()
        assert self.name not in JOBS or JOBS[self.name].module == self.module, f"two jobs {self.name}"
        JOBS[self.name] = self

    def handler(self, event: Any, context: Any) -> dict[str, Any]:
        """The Lambda handler. The event says nothing: what is due stands in the database."""
        left = getattr(context, "get_remaining_time_in_millis", None)
        seconds = min(SECONDS_MAX, left() / 1000 - MARGIN_SECONDS) if left else SECONDS_MAX
        return _loop().run_until_complete(self.run(seconds))

    async def run(self, seconds: float = SECONDS_MAX) -> dict[str, Any]:
        """Do rounds until nothing is left or `seconds` have passed.

        Answers the counts of all rounds, `rounds`, `failed` (rows passed over) and `finished`: whether nothing is left.
        A database that is busy, or whose answers stay lost, ends the run early. Raises DatabaseError for anything
        worse; the rounds before are kept.
        """
        began = time.perf_counter()
        known = settings()
        telemetry.set_up(known.log_level, known.slow_query_ms, known.metrics_namespace)
        counts: Counter[str] = Counter()
        rounds = failed = 0
        status, after, finished = 500, None, False
        try:
            db = await database(known)
            while not finished and (rounds == 0 or time.perf_counter() - began < seconds):
                failpoint("job_before_round")
                call, found = await self._round(known, db, after)
                failpoint("job_after_round")
                counts.update(found)
                rounds, failed, after = rounds + 1, failed + call.failed, call.last
                finished = after is None
            status = 200
        except (Busy, Unknown):
            status = 503
        finally:
            facts = {"rounds": rounds, "failed": failed, "finished": finished, **counts}
            telemetry.observe_job(self.name, status, time.perf_counter() - began, facts)
        return {"job": self.name, **counts, "failed": failed, "rounds": rounds, "finished": finished}

    async def _round(self, known: Settings, db: Database, after: Row | None) -> tuple[JobCall, dict[str, int]]:
        """One round: read again if somebody was faster or an answer was lost, row by row if a rule refused one."""
        alone = False
        for left in reversed(range(ATTEMPTS_MAX)):
            call = JobCall(self.name, known, db, after, alone=alone)
            try:
                return call, await self.round(call)
            except Unknown:
                # What was kept is due no more when it is read again.
                if not left:
                    raise
            except (Refused, Conflict) as error:
                if not left and is_stale(error):
                    raise Busy(why(error)) from error
                if not left:
                    raise
                alone = alone or left == 1 or not is_stale(error)
        raise AssertionError("unreachable")


def is_stale(error: DatabaseError) -> bool:
    """Whether a guard said that somebody else was faster."""
    return isinstance(error, Refused) and error.code == "stale"


def why(error: Refused | Conflict) -> str:
    """The guard's code or the constraint's name: nothing that a person wrote."""
    return error.code if isinstance(error, Refused) else error.what


def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process: the one of the handlers beside, so that all share the database's client."""
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop

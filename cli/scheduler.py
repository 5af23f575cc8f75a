"""Runs the scheduled functions inside the server, as EventBridge does in the cloud: each when its rate says so."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Sequence
from typing import Final

from api import telemetry
from api.job import Job

JOBS_VARIABLE: Final = "TALLY_JOBS"
"""Set by `tally serve` for the processes that it starts."""
FIRST_SECONDS: Final = 5.0
TICK_SECONDS: Final = 60.0
CALENDAR_SECONDS: Final = 3_600.0
"""How often a job with a `cron(…)` runs here: jobs do what is due, so a run too many finds nothing to do."""
_UNITS: Final = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


def seconds_of(schedule: str) -> float:
    """The pause between two runs of an EventBridge expression. Raises ValueError for one that is none."""
    if matched := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule):
        return int(matched[1]) * _UNITS[matched[2]]
    if re.fullmatch(r"cron\(.+\)", schedule):
        return CALENDAR_SECONDS
    raise ValueError(f"{schedule!r} is neither rate(5 minutes) nor cron(…)")


class Scheduler:
    """One job after the other, so that they compete with the buyers once at most. Seconds can be set for tests."""

    def __init__(
        self, jobs: Sequence[Job], *, first_seconds: float = FIRST_SECONDS, tick_seconds: float = TICK_SECONDS
    ) -> None:
        self._jobs, self._first, self._tick = jobs, first_seconds, tick_seconds
        self._due: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Begin no other job; wait for the one in work."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        # Several processes of one server shall not all come at once. Jobs that meet do no harm, only work twice.
        pause = self._first * random.uniform(1, 2)  # noqa: S311 - jitter, no secret
        while not await self._stopped_within(pause):
            for job in self._jobs:
                now = time.monotonic()
                if self._due.get(job.name, now) <= now and not self._stopping.is_set():
                    # Half a tick early rather than a tick late: the ticks drift.
                    self._due[job.name] = now + seconds_of(job.schedule) - self._tick / 2
                    await self._run_one(job)
            pause = self._tick

    async def _run_one(self, job: Job) -> None:
        try:
            await job.run()
        except Exception:
            telemetry.log.exception("job failed", extra={"facts": {"job": job.name}})

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

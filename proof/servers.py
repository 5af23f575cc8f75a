"""Processes that serve the shop and die: killed from outside, or by a failpoint within; each time another follows.

They are forked from one that has everything imported, so that a new one serves within a tenth of a second. The socket
that they listen on belongs to the parent: who connects while nobody serves waits.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from proof.plan import FAILPOINTS

PLANTS: Final = "tests.plants"
JOBS: Final = ("expire_reservations", "roll_up_analytics")
JOBS_SECONDS: Final = 0.3
"""The pause between two runs of the jobs."""
UVICORN_REFUSED: Final = 3
"""Its exit code when the shop would not start: the engine was away at that moment."""
STARTS_MAX: Final = 100
SOCKET_FOLDER_LETTERS_MAX: Final = 60
"""The process that the others are forked from listens on a socket in the folder for temporary files, whose whole path
has 107 letters at most."""


class Setting(NamedTuple):
    """What every process is told: the environment, the file for what it says, the seed of its failpoints, and a
    planted defect.
    """

    log: str
    environment: Mapping[str, str]
    seed: str
    plant: str | None


class Mortal:
    """A process that is started again whenever it has died. `deaths` counts them."""

    def __init__(self, name: str, work: Callable[..., None], setting: Setting, *arguments: Any) -> None:
        self._name, self._work, self._setting, self._arguments = name, work, setting, arguments
        self.deaths = self.lives = self._refused = 0
        self.failed: str | None = None
        self._process: Any = None

    def tend(self) -> None:
        """Start it if it does not run. A process that ended by itself has a defect: then `failed` says so."""
        if self._process is not None and self._process.is_alive():
            return
        if self._process is not None:
            code = self._process.exitcode
            self._refused = self._refused + 1 if code == UVICORN_REFUSED else 0
            if code not in (-signal.SIGKILL, UVICORN_REFUSED) or self._refused > STARTS_MAX:
                self.failed = f"{self._name} ended by itself, exit code {code}: {self._setting.log} says why"
                return
            self.deaths += code == -signal.SIGKILL
        self.lives += 1
        setting = self._setting._replace(seed=f"{self._setting.seed}:{self._name}:{self.lives}")
        process = _context().Process(target=self._work, args=(setting, *self._arguments), daemon=True)
        process.start()
        self._process = process

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            self._process.join(5)

    def end(self) -> None:
        """For good."""
        self.kill()
        self._process = None


def _context() -> Any:
    """Processes are forked from a warm one; where that cannot be, each takes the time to import everything itself."""
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    if not can_fork or len(tempfile.gettempdir()) > SOCKET_FOLDER_LETTERS_MAX:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    from cli import derive

    context.set_forkserver_preload(["uvicorn", "cli.server", "cli.serve", "proof.servers", *derive.modules()])
    return context


def serve(setting: Setting, listening: Any) -> None:
    """Serve the shop on the socket until death."""
    _begin(setting)
    from cli.serve import serve

    serve(listening, reload=False, workers=1, jobs=False)


def work(setting: Setting) -> None:
    """Run the scheduled functions, again and again, until death."""
    _begin(setting)
    import asyncio

    jobs = [getattr(importlib.import_module(f"functions.jobs.{name}"), name) for name in JOBS]

    async def run() -> None:
        while True:
            for job in jobs:
                await job.run()
            await asyncio.sleep(JOBS_SECONDS)

    asyncio.run(run())


def _begin(setting: Setting) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    log = os.open(setting.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.update(setting.environment)
    from api.settings import settings
    from db import failpoints

    settings.cache_clear()
    failpoints.arm(",".join(f"{name}={chance}" for name, chance in FAILPOINTS.items()), setting.seed)
    if setting.plant:
        importlib.import_module(f"{PLANTS}.{setting.plant}").plant()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)

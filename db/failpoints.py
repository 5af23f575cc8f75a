"""Places in the product where its process can be made to die, so that it is tested what outlives that.

Off unless the environment's FAILPOINTS names some: `before_commit=0.01` is the chance of each passage (from
FAILPOINTS_SEED, if there is one), `before_commit=#3` the third passage. Several are separated by commas. The death is
SIGKILL: nothing is closed, nothing is said. Production never sets it, and `api.settings` refuses it there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "FAILPOINTS"
SEED_VARIABLE: Final = "FAILPOINTS_SEED"
POINTS: Final = {
    "after_begin": "a batch on a file has its transaction, and nothing is written",
    "before_commit": "a batch has written everything and COMMIT comes next; on a server: it is about to be sent",
    "after_commit": "a batch is kept, and nobody knows; on a server: its answer is here",
    "answer_lost": "an endpoint has its answer, and the client gets none",
    "group_between_batches": "of a group that commits together some batches are written",
    "group_before_commit": "a group has written everything, and its COMMIT comes next",
    "group_after_commit": "a group is kept, and nobody of it knows",
    "migration_before_version": "the runner is about to send a version's batch",
    "migration_after_version": "a version is applied, and the runner goes on",
    "job_before_round": "a job begins a round",
    "job_after_round": "a job's round is kept, and the next follows",
}
_ENTRY: Final = re.compile(r"([a-z_]+)=(?:#([1-9]\d*)|(0?\.\d+|1(?:\.0*)?))")

_armed: Final[dict[str, Callable[[], bool]]] = {}


def failpoint(name: str) -> None:
    """Die here, if the environment wants it."""
    if _armed and name in _armed and _armed[name]():
        _die()


def arm(text: str, seed: str = "") -> None:
    """What FAILPOINTS=`text` and FAILPOINTS_SEED=`seed` say, from now on. Raises ValueError for what they cannot."""
    found = {}
    for entry in filter(None, text.split(",")):
        matched = _ENTRY.fullmatch(entry.strip())
        if matched is None or matched[1] not in POINTS:
            raise ValueError(
                f"{VARIABLE}: {entry!r} is neither NAME=0.01 nor NAME=#3 with a NAME of {', '.join(POINTS)}"
            )
        name, passage, chance = matched.groups()
        found[name] = _counted(int(passage)) if passage else _drawn(float(chance), f"{seed}:{name}" if seed else None)
    _armed.clear()
    _armed.update(found)


def _counted(passage: int) -> Callable[[], bool]:
    passed = 0

    def due() -> bool:
        nonlocal passed
        passed += 1
        return passed == passage

    return due


def _drawn(chance: float, seed: str | None) -> Callable[[], bool]:
    import random

    draw = random.Random(seed).random  # noqa: S311 - a test's dice
    return lambda: draw() < chance


def _die() -> None:
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


if os.environ.get(VARIABLE):
    arm(os.environ[VARIABLE], os.environ.get(SEED_VARIABLE, ""))

"""What a cold start costs: the import of each handler, and a fresh process to its first checkout's answer."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.children import ENVIRONMENT, ROOT
from bench.workload import CHECKOUT, checkout_events

BASE: Final = "from pydantic import BaseModel"
FIRST: Final = "the first checkout"


def handlers() -> list[str]:
    """The modules of all functions."""
    found = sorted((ROOT / "functions").rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found if path.name != "__init__.py"]


def measure(template: Path, folder: Path, repetitions: int) -> dict[str, list[float]]:
    """Seconds by what was done, each in a fresh process: BASE, FIRST, and the import of each handler; shuffled."""
    path = folder / "first.db"
    shutil.copy(template, path)
    events, modules = checkout_events(1), handlers()
    took: dict[str, list[float]] = {name: [] for name in (BASE, FIRST, *modules)}
    for repetition in range(repetitions + 1):
        # Every ratio leans on the base, so it is measured more often than the rest.
        order = [*modules, *[BASE] * 5, *[FIRST] * 2]
        random.shuffle(order)
        for name in order:
            code = BASE if name == BASE else f"import {name}"
            if name == FIRST:
                code = f"from {CHECKOUT} import handler\nassert handler({next(events)!r}, None)['statusCode'] == 201"
            seconds = _fresh(code, path)
            if repetition:  # in the first the compiled files may be missing
                took[name].append(seconds)
    return took


def _fresh(code: str, path: Path) -> float:
    timed = f"import time\nbegan = time.perf_counter()\n{code}\nprint(time.perf_counter() - began)"
    done = subprocess.run(
        [sys.executable, "-c", timed],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
        env={**ENVIRONMENT, "DATABASE_URL": f"sqlite:///{path}"},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{code}: {done.stderr}")
    return float(done.stdout)

"""`make test`: the whole suite on a file, and the functional and race tests on a libSQL server and on D1. With
--coverage (`make coverage`) what runs on a file, and how much of the code that is: slower by a third.

Its parts run beside each other, each printed when it is done, on files in memory where there is room: a process that
is killed keeps what its kernel has, and what a disk keeps is asked by `make faults`. Without Node.js there are no
servers: that is said, loudly and at the end, and with REQUIRE_ENGINES=1, as CI has it, it is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tools.engines import EngineError, install, missing
from tools.engines.process import ROOT


class Part(NamedTuple):
    """A run of pytest."""

    name: str
    engine: str
    arguments: tuple[str, ...]


Lanes = tuple[tuple[Part, ...], ...]
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only as a place for a folder of our own
ROOM_BYTES: Final = 6 * 1024**3
"""Three times what the suite was seen to need."""
COVERAGE: Final = "--coverage"
COVERED: Final = ("--cov", "--cov-report=", "--cov-fail-under=0")
ON_A_SERVER: Final = ("tests/functions", "tests/race")
SERVERS: Final = ("tests/engines", "tests/runtime")
UNDER_FIRE: Final = {"the faults": ("tests/faults",), "the proof": ("tests/proof", "tests/stateful")}
COMMANDS: Final = ("tests/bench", "tests/cli", "tests/db", "tests/doctor")
ELSEWHERE: Final = tuple(f"--ignore={one}" for one in (*SERVERS, *sum(UNDER_FIRE.values(), ()), *COMMANDS))
ON_A_FILE: Final = Part("a file", "sqlite", ELSEWHERE)
ENGINES: Final = Part("the engines", "sqlite", SERVERS)
FILES_AND_COMMANDS: Final = Part("files and commands", "sqlite", COMMANDS)
FAULTS, PROOF = (Part(name, "sqlite", folders) for name, folders in UNDER_FIRE.items())
LIBSQL, D1 = (Part(name, name.lower(), ON_A_SERVER) for name in ("libSQL", "D1"))
LANES: Final = ((ON_A_FILE, FILES_AND_COMMANDS, PROOF), (ENGINES, LIBSQL, D1, FAULTS))
"""What runs beside each other; the parts of a lane one after the other. A third lane is no quicker on two cores, and
tests would meet time-outs that are meant to be far off."""
ALONE: Final = ((ON_A_FILE, FILES_AND_COMMANDS), (ENGINES, FAULTS, PROOF))
"""The same without servers."""
COVERED_LANES: Final = ((ON_A_FILE,), (ENGINES, FILES_AND_COMMANDS))


def main() -> int:
    try:
        install()
    except EngineError as error:
        print(f"test: {error}", file=sys.stderr)
        return 1
    reason = missing()
    if reason and os.environ.get("REQUIRE_ENGINES"):
        print(f"test: the real engines are required here, and {reason}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="tallystick-test-", dir=_in_memory()) as folder:
        if COVERAGE in sys.argv:
            code = _run(COVERED_LANES, Path(folder), COVERED) or _covered(COVERED_LANES, Path(folder))
        else:
            code = _run(ALONE if reason else LANES, Path(folder))
    if reason:
        print(_loud(f"LEFT OUT: everything on libSQL and Cloudflare D1, because {reason}"), file=sys.stderr)
    return code


def _run(lanes: Lanes, folder: Path, more: tuple[str, ...] = ()) -> int:
    printing = threading.Lock()

    def run(lane: tuple[Part, ...]) -> int:
        return max(_pytest(part, folder, printing, more) for part in lane)

    print("Running: " + " | ".join(", then ".join(part.name for part in lane) for lane in lanes), flush=True)
    with ThreadPoolExecutor(len(lanes)) as pool:
        return max(pool.map(run, lanes))


def _covered(lanes: Lanes, folder: Path) -> int:
    files = [str(folder / f"{part.name}.coverage") for lane in lanes for part in lane]
    return _coverage("combine", "--quiet", *files) or _coverage("report")


def _in_memory() -> Path | None:
    """The folder for the suite's files, None for the usual one."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        return MEMORY
    return None


def _pytest(part: Part, folder: Path, printing: threading.Lock, more: tuple[str, ...]) -> int:
    log, began = folder / f"{part.name}.log", time.monotonic()
    environment = {
        **os.environ,
        "ENGINE": part.engine,
        "COVERAGE_FILE": str(folder / f"{part.name}.coverage"),
        "TMPDIR": str(folder),
    }
    asked = [one for one in sys.argv[1:] if one != COVERAGE]
    command = [sys.executable, "-m", "pytest", *part.arguments, *more, *asked]
    with log.open("wb") as out:
        code = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT).returncode
    with printing:
        print(f"\n===== {part.name}, {time.monotonic() - began:.0f} s =====\n{log.read_text()}", flush=True)
    return code


def _coverage(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT).returncode


def _loud(text: str) -> str:
    line = "!" * len(text)
    return f"\n{line}\n{text}\n{line}"


if __name__ == "__main__":
    sys.exit(main())

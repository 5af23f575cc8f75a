"""`make faults`: what can go wrong under a shop is made to go wrong, and what was acknowledged is counted afterwards.

Prints a row for each fault: how often it was injected, how many orders were acknowledged meanwhile, how many of them
are lost, how many there are that nobody was told of, and what else is not as it must be, the invariants included. A row
with a planted defect must find something, all others nothing. What this machine cannot do is said.

Exit codes: 0 all that ran is well, 1 something is not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import secrets
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]

os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
os.environ.setdefault("LOG_LEVEL", "error")

from tests.faults.ground import Cannot, Ground, Row


class Fault(NamedTuple):
    module: str
    short: bool
    """Whether it belongs to the short form."""


FAULTS: Final = {
    "kills": Fault("kill_calls", short=False),
    "disk": Fault("broken_disk", short=True),
    "full": Fault("full_disk", short=True),
    "power": Fault("power_cut", short=False),
    "lock": Fault("held_lock", short=True),
    "delivery": Fault("twenty_times", short=True),
    "frozen": Fault("frozen_engine", short=True),
    "partition": Fault("partition", short=False),
    "clock": Fault("clock_jumps", short=True),
    "failpoints": Fault("chosen_deaths", short=True),
}
HEAD: Final = ("fault", "injected", "acknowledged", "lost", "double", "violated", "seconds", "")
SENTENCES_MAX: Final = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="suite.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="the faults that need seconds, fewer of each")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(FAULTS), help=", ".join(FAULTS))
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row instead of the table")
    args = parser.parse_args(arguments)
    logging.disable()  # thousands of failures are wanted here, and each has its line
    names = args.only or [name for name, fault in FAULTS.items() if fault.short or not args.short]
    return run({name: FAULTS[name] for name in names}, short=args.short, tell=_json if args.json else _table)


Tell = Callable[[Row | None, str], None]


def run(faults: dict[str, Fault], *, short: bool, tell: Tell) -> int:
    """The faults, one after the other; a row that is not well, or a fault that raises, makes the exit code 1."""
    tell(None, "")
    code, cannot = 0, []
    for name, fault in faults.items():
        try:
            for row in _timed(fault, short=short):
                code = code if row.good else 1
                tell(row, name)
        except Cannot as error:
            cannot.append(f"NOT DONE HERE: {name}, because {error}")
        except Exception:
            print(f"FAILED: {name}", file=sys.stderr)
            traceback.print_exc()
            code = 1
    for line in cannot:
        print(line, file=sys.stderr, flush=True)
    return code


def _timed(fault: Fault, *, short: bool) -> Iterator[Row]:
    module = importlib.import_module(f"tests.faults.{fault.module}")
    with tempfile.TemporaryDirectory(prefix="tallystick-faults-") as folder:
        began = time.monotonic()
        for row in module.run(Ground(Path(folder), short)):
            row.seconds = time.monotonic() - began
            yield row
            began = time.monotonic()


def _cells(row: Row) -> list[str]:
    counts = [row.injected, row.acknowledged, *map(len, row.verdict)]
    note = "planted: " + ("found" if row.good else "NOT FOUND") if row.planted else row.note
    return [row.fault, *map(str, counts), f"{row.seconds:.0f}", note if row.good or row.planted else f"WRONG {note}"]


def _table(row: Row | None, _: str) -> None:
    cells = list(HEAD) if row is None else _cells(row)
    print(f"{cells[0]:<36}" + "".join(f"{cell:>13}" for cell in cells[1:-1]) + f"  {cells[-1]}", flush=True)
    if row is not None and not row.planted:
        for sentence in [*row.verdict.lost, *row.verdict.double, *row.verdict.violated][:SENTENCES_MAX]:
            print(f"  {sentence}", flush=True)


def _json(row: Row | None, name: str) -> None:
    if row is None:
        return
    counts = {kind: len(found) for kind, found in row.verdict._asdict().items()}
    facts = {"name": name, "fault": row.fault, "injected": row.injected, "acknowledged": row.acknowledged, **counts}
    rest = {"seconds": round(row.seconds, 1), "planted": row.planted, "good": row.good, "note": row.note}
    print(json.dumps({**facts, **rest, "wrong": row.verdict.all()[:SENTENCES_MAX]}), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())

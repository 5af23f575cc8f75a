"""`tally prove`: on a scratch shop, under fire: is nothing sold twice or lost, and do the books add up?"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.common import Failure

if TYPE_CHECKING:
    from proof.run import State

ENGINES: Final = ("sqlite", "libsql", "d1")
SEED_BITS: Final = 32
TELL_SECONDS: Final = 0.2
COLUMNS: Final = ("acted", "acknowledged", "refused", "deaths", "faults", "lost", "double", "violated")


def add_parser(subparsers: Any) -> None:
    help_ = "prove on a scratch shop that nothing is oversold, lost or double, whatever dies"
    parser = subparsers.add_parser("prove", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("--minutes", type=minutes, default=1.0, metavar="N", help="default: 1")
    parser.add_argument(
        "--engine", choices=ENGINES, default="sqlite", help="the servers need a checkout and Node.js 20"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the plan; default: a new one, which is told")
    parser.add_argument("--plant", metavar="NAME", help="break the shop on purpose (tests/plants): it must be found")
    parser.add_argument("--json", action="store_true", help="one line of JSON")


def minutes(text: str) -> float:
    """More than 0, and at most a day. Raises ValueError."""
    found = float(text)
    if not (math.isfinite(found) and 0 < found <= 1_440):
        raise ValueError(text)
    return found


def run(args: argparse.Namespace) -> int:
    """Exit code 0 only if nothing is lost, double or violated. Raises Failure."""
    root = Path(__file__).resolve().parent.parent
    if args.plant is not None:
        _refuse_plant(args.plant, args.engine, root / "tests" / "plants")
    if args.engine != "sqlite" and not (root / "tools" / "engines").is_dir():
        raise Failure("libSQL and D1 are started from a checkout of the repository; here is none", 2)
    from proof.run import Wish, prove

    seed = secrets.randbits(SEED_BITS) if args.seed is None else args.seed
    shown = Shown()

    def tell(state: State) -> None:
        if shown.due():
            shown.tell(state)

    try:
        state = asyncio.run(prove(Wish(args.engine, args.minutes * 60, seed, args.plant), tell))
    except ImportError as error:
        raise Failure(f"{error}: `pip install tallystick[local]` has what this needs") from error
    except RuntimeError as error:
        raise Failure(f"seed {seed}: {error}") from error
    finally:
        shown.end()
    told = state.told()
    print(json.dumps(told, ensure_ascii=False) if args.json else "\n".join(_lines(told)))
    return 0 if state.verdict.good else 1


def _refuse_plant(name: str, engine: str, folder: Path) -> None:
    names = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    if not names:
        raise Failure("--plant breaks a checkout of the repository, and this is none: there is no tests/plants", 2)
    if name not in names:
        raise Failure(f"--plant {name}: one of {', '.join(names)}", 2)
    if name == "lose_the_group" and engine != "sqlite":
        raise Failure("--plant lose_the_group: only a file commits in groups", 2)


class Shown:
    """A line on a terminal that is written over; elsewhere nothing."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._at = 0.0

    def due(self) -> bool:
        return self._terminal and time.monotonic() - self._at >= TELL_SECONDS

    def tell(self, state: State) -> None:
        self._at, counts = time.monotonic(), state.counts
        passed = time.monotonic() - state.began
        line = (
            f"{passed:4.0f} of {state.wish.seconds:.0f} s  {state.wave.name if state.wave else '':<18} "
            f"acted {counts['acted']:,}  acknowledged {counts['acknowledged']:,}  refused {counts['refused']:,}  "
            f"deaths {counts['deaths']:,}  faults {counts['faults']:,}  wrong {len(state.verdict.all())}"
        )
        print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _lines(told: dict[str, Any]) -> list[str]:
    widths = [max(len(name), len(f"{told[name]:,}")) for name in COLUMNS]
    where = {"sqlite": "a file", "libsql": "libSQL", "d1": "Cloudflare D1"}[told["engine"]]
    again = f"--engine {told['engine']} --seed {told['seed']}" + (f" --plant {told['plant']}" if told["plant"] else "")
    lines = [
        f"{where}, {told['waves']} waves in {told['seconds']:.0f} s, seed {told['seed']}, plan {told['plan'][:12]}",
        "  ".join(name.rjust(width) for name, width in zip(COLUMNS, widths, strict=True)),
        "  ".join(f"{told[name]:,}".rjust(width) for name, width in zip(COLUMNS, widths, strict=True)),
    ]
    if not told["findings"]:
        return [*lines, "Nothing is lost, nothing double, nothing violated."]
    lines += [f"- {finding}" for finding in told["findings"]]
    lines.append(f"Found after {told['found_after'] or told['seconds']} s. Again: tally prove {again}")
    return lines + ([f"The shop's data and the servers' log are kept in {told['kept']}"] if told["kept"] else [])

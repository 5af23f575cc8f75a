"""`python -m bench.invariants`: what `tally check` costs on a file with 100,000 orders, invariant by invariant.

The seconds are those of `tally check --json`, the least of the repetitions: what else the machine does only adds to
them. All are to take 5 s together, none more than 1 s. Exit code 1 when an invariant does not hold; a missed target is
told, not failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import shop
from db.helper import connect
from db.invariants import Finding, check

TOTAL_MAX: Final = 5.0
EACH_MAX: Final = 1.0
Times = dict[str, float]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000, metavar="N", help="default: 100000")
    parser.add_argument("--repetitions", type=int, default=5, metavar="N", help="default: 5")
    parser.add_argument("--slowest", type=int, default=10, metavar="N", help="how many are listed; default: 10")
    args = parser.parse_args(words)
    if min(args.orders, args.repetitions, args.slowest) < 1:
        parser.error("1 or more orders, repetitions and lines")
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        path = Path(folder) / "shop.db"
        shop.make(path, args.orders)
        runs = asyncio.run(_runs(path, args.repetitions))
    broken = [one.name for one in runs[0] if not one.holds]
    print(table(least(runs), args.slowest))
    print("shop after the run: " + ("consistent" if not broken else "WRONG: " + "; ".join(broken)))
    return 1 if broken else 0


async def _runs(path: Path, repetitions: int) -> list[list[Finding]]:
    db = await connect(f"sqlite:///{path}", timeout_ms=600_000)
    try:
        return [await check(db) for _ in range(repetitions)]
    finally:
        await db.close()


def least(runs: Sequence[Sequence[Finding]]) -> Times:
    """The seconds of each invariant in its quickest run."""
    return {ones[0].name: min(one.seconds for one in ones) for ones in zip(*runs, strict=True)}


def table(times: Times, slowest: int) -> str:
    """The slowest invariants, then all together, and whether both stay within what they may take."""
    told = sorted(times.items(), key=lambda item: -item[1])
    lines = [f"{name:<55}{seconds:>8.3f} s" for name, seconds in told[:slowest]]
    if rest := told[slowest:]:
        lines.append(f"{f'{len(rest)} others':<55}{sum(seconds for _, seconds in rest):>8.3f} s")
    total = sum(times.values())
    lines.append(f"{f'{len(told)} in all':<55}{total:>8.3f} s  {_verdict(total, TOTAL_MAX)}")
    lines.append(f"{'the slowest':<55}{told[0][1]:>8.3f} s  {_verdict(told[0][1], EACH_MAX)}")
    return "\n".join(lines)


def _verdict(seconds: float, most: float) -> str:
    return f"≤ {most:.1f} s  " + ("met" if seconds <= most else f"missed by {seconds - most:.3f} s")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench`: every candidate in one run, interleaved, each in a process and on a file of its own.

(a) bare SQL of the checkout, which is 1; (b) the handler through Mangum; (c) the server; (d) the product list; (e) cold
starts; (f) a million orders in the file. Exit code 1 when a file does not add up afterwards; a missed target is told,
not failed: it may be the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from bench import imports, shop
from bench.children import Child
from bench.report import Row, compared, p99, table, timed
from bench.server import TOOL, Load, Server
from db.engines.sqlite import binding

PARTS: Final = "abcdef"
CLIENTS: Final = {1: (0.50, None), 8: (0.75, None), 32: (1.00, 1.30)}
DISTURBED: Final = {
    "reads": "server, 8 clients, 2 long reads beside",
    "lock": "server, 8 clients, another process locks for 200 ms a second",
}
ORDERS: Final = (1_000, 1_000_000)


class Bench:
    """One run. `samples` and `loads` hold what each candidate did, a list for each repetition."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args, self.folder, self.parts = args, folder, args.only
        self.children: dict[str, Child] = {}
        self.server: Server | None = None
        self.samples: dict[str, list[list[float]]] = {}
        self.loads: dict[str, list[Load]] = {}
        self.cold: dict[str, list[float]] = {}
        self.pages = 0.0
        self.wrong: list[str] = []
        self._seed = random.randrange(10**6)

    def run(self) -> None:
        self.template = self.folder / "template.db"
        shop.make(self.template)
        for name in self._kinds():
            self._say(f"starting {name}")
            kind, _, orders = name.partition(" ")
            path = self.folder / f"{name.replace(' ', '-')}.db"
            shop.make(path, int(orders)) if orders else shutil.copy(self.template, path)
            self.children[name] = Child(kind, path)
        [self.pages] = self._child("pages").run(1)
        for repetition in range(self.args.repetitions + 1):
            self._say(f"repetition {repetition} of {self.args.repetitions}" if repetition else "warming up")
            self._repeat(warm=not repetition)
        if "e" in self.parts:
            self._say("cold starts")
            self.cold = imports.measure(self.template, self.folder, max(3, self.args.repetitions))
        for name in [*self.children]:
            self._end(name)

    def _kinds(self) -> list[str]:
        kinds = ["bare"]
        if "a" in self.parts:
            kinds += ["bare8", "bare32"]
        if "b" in self.parts:
            kinds += ["handler", "handler_without_failpoints", "handler_of_customer"]
        if "d" in self.parts:
            kinds += ["list_bare", "list_handler"]
        if "f" in self.parts:
            kinds += [f"{kind} {orders}" for kind in ("bare", "handler") for orders in self.args.orders]
        return kinds

    def _repeat(self, warm: bool) -> None:
        """Everything once, in random order; bare SQL twice, because all lean on it."""
        count = 64 if warm else self.args.requests
        steps = [partial(self._run, warm, name, count) for name in [*self.children, "bare"] if name != "pages"]
        if "c" in self.parts:
            path = self.folder / "server.db"
            for rest in ("", "-wal", "-shm"):
                Path(f"{path}{rest}").unlink(missing_ok=True)
            shutil.copy(self.template, path)
            self.server = Server(path)
            self._load(True, "warm-up", 8)
            steps += [partial(self._load, warm, f"server {clients}", clients) for clients in CLIENTS]
            steps += [partial(self._load, warm, name, 8, name) for name in DISTURBED]
        random.shuffle(steps)
        bare_before = len(self.samples.get("bare", []))
        for step in steps:
            step()
        if not warm:
            first, second = self.samples["bare"][bare_before:]
            self.samples["bare"][bare_before:] = [first + second]
        if self.server is not None:
            self.server.close()
            self._check("server", self.server.path)
            self.server = None

    def _run(self, warm: bool, name: str, count: int) -> None:
        took = self.children[name].run(count)
        if not warm:
            self.samples.setdefault(name, []).append(took)

    def _load(self, warm: bool, name: str, clients: int, disturbance: str = "") -> None:
        assert self.server is not None
        self._seed += 1
        load = self.server.load(clients, 1 if warm else self.args.seconds, self._seed, disturbance)
        if load.errors:
            self.wrong.append(f"{name}: {load.errors} errors")
        if not warm:
            self.loads.setdefault(name, []).append(load)

    def _child(self, kind: str) -> Child:
        path = self.folder / f"{kind}.db"
        shutil.copy(self.template, path)
        self.children[kind] = Child(kind, path)
        return self.children[kind]

    def _end(self, name: str) -> None:
        self.children[name].close()
        if not name.startswith(("pages", "list")):
            self._say(f"checking {name}")
            self._check(name, self.children[name].path)
        del self.children[name]

    def _check(self, name: str, path: Path) -> None:
        self.wrong += [f"{name}: {problem}" for problem in shop.problems(path)]

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
        for child in self.children.values():
            child.close()

    def _say(self, text: str) -> None:
        if sys.stderr.isatty() or self.args.verbose:
            print(f"bench: {text}", file=sys.stderr, flush=True)

    # -- telling

    def rows(self) -> list[Row]:
        samples = self.samples
        bare = timed("a", "bare SQL of the checkout", samples["bare"])
        rows = [compared(bare, [1.0], None)]
        if "a" in self.parts:
            rows += [self._to_bare(timed("a", f"the same, {n} a COMMIT", samples[f"bare{n}"]), None) for n in (8, 32)]
        if "b" in self.parts:
            rows += self._handler_rows()
        if "c" in self.parts:
            rows += self._server_rows(bare)
        if "d" in self.parts:
            one = timed("d", "bare SQL of 20 of 10,000 products", samples["list_bare"])
            other = timed("d", "GET /products through Mangum", samples["list_handler"])
            ratios = [a / b for a, b in zip(one.repetitions, other.repetitions, strict=True)]
            rows += [compared(one, [1.0], None), compared(other, ratios, 0.40)]
        if "e" in self.parts:
            rows += self._cold_rows()
        if "f" in self.parts:
            rows += self._growth_rows()
        return rows

    def _handler_rows(self) -> list[Row]:
        """And what its failpoints cost, which are off, and a customer who has logged in."""
        made = timed("b", "handler through Mangum", self.samples["handler"])
        without = timed("b", "the same without failpoints", self.samples["handler_without_failpoints"])
        both = self.samples["handler_of_customer"]
        customer = timed("b", "the same by a customer who has logged in", [run[1::2] for run in both])
        rows = [
            self._to_bare(made, 0.45, aim=0.60),
            compared(
                without, list(map(_by_p50, self.samples["handler_without_failpoints"], self.samples["handler"])), None
            ),
            compared(customer, [_by_p50(run[1::2], run[::2]) for run in both], 1.15, at_most=True),
        ]
        rows[1].note = "its p50 over the handler's"
        rows[2].note = "its p50 over that of nobody known, in turn with it"
        return rows

    def _to_bare(self, row: Row, target: float | None, aim: float | None = None) -> Row:
        means = [statistics.mean(run) / 1_000 for run in self.samples["bare"]]
        return compared(row, [a / b for a, b in zip(means, row.repetitions, strict=True)], target, aim=aim)

    def _server_rows(self, bare: Row) -> list[Row]:
        rows = []
        names: dict[str, tuple[str, float | None, float | None]] = {
            f"server {n}": (f"server, {n} keep-alive client{'s' * (n > 1)}", *CLIENTS[n]) for n in CLIENTS
        }
        names |= {name: (what, None, None) for name, what in DISTURBED.items()}
        for name, (what, target, aim) in names.items():
            loads = self.loads[name]
            rates = [load.rate for load in loads]
            p50, last = (
                statistics.median(values) for values in zip(*[(one.p50, one.p99) for one in loads], strict=True)
            )
            row = Row("c", what, p50=p50 * 1_000, p99=last * 1_000, rate=statistics.mean(rates), repetitions=rates)
            row.mean = 1e6 / row.rate if row.rate else None
            errors = sum(load.errors for load in loads)
            row.note = f"p99 = {last / p50:.1f} × p50" + (f", {errors} ERRORS" if errors else ", no errors")
            ratios = [rate * mean / 1e6 for rate, mean in zip(rates, bare.repetitions, strict=True)]
            rows.append(compared(row, ratios, target, aim=aim))
            if target is not None:
                tail = Row("c", f"{what}: p99 over p50")
                rows.append(compared(tail, [load.p99 / load.p50 for load in loads], 3.0, at_most=True))
        return rows

    def _cold_rows(self) -> list[Row]:
        medians = {name: statistics.median(took) for name, took in self.cold.items()}
        base = medians.pop(imports.BASE)
        first = medians.pop(imports.FIRST)
        worst = max(medians, key=lambda name: medians[name])
        middle = statistics.median(medians.values())

        def row(what: str, name: str, target: float | None) -> Row:
            took = [one * 1e6 for one in self.cold[name]]
            made = Row("e", what, mean=statistics.mean(took), p50=statistics.median(took), p99=p99(took))
            return compared(made, [one / base / 1e6 for one in took], target, at_most=True)

        rows = [
            row(imports.BASE, imports.BASE, None),
            row(f"import of the worst: {worst}", worst, 2.0),
            row("a fresh process to its first checkout", imports.FIRST, 3.0),
        ]
        for one, ratio in zip(rows, (1.0, medians[worst] / base, first / base), strict=True):
            one.ratio = ratio
        over = sorted(name for name, median in medians.items() if median / base > 2.0)
        rows[1].note = f"the middle one of {len(medians)}: {middle / base:.2f}; {len(over)} above 2.0"
        return rows

    def _growth_rows(self) -> list[Row]:
        rows = []
        few, many = self.args.orders
        for kind, target in (("bare", None), ("handler", 1.3)):
            one, other = (
                timed("f", f"{kind}, {n:,} orders in the file", self.samples[f"{kind} {n}"]) for n in (few, many)
            )
            medians = [[statistics.median(run) for run in self.samples[f"{kind} {orders}"]] for orders in (few, many)]
            ratios = [b / a for a, b in zip(*medians, strict=True)]
            rows += [compared(one, [1.0], None), compared(other, ratios, target, at_most=True)]
            rows[-1].note = "by p50"
        return rows


def _by_p50(one: list[float], other: list[float]) -> float:
    return statistics.median(one) / statistics.median(other)


def fsync_cost(folder: Path) -> tuple[float, float]:
    """Mean and median microseconds of writing 4 KB and waiting for the disk."""
    took = []
    descriptor = os.open(folder / "fsync", os.O_RDWR | os.O_CREAT)
    for _ in range(200):
        os.pwrite(descriptor, os.urandom(4_096), 0)
        began = time.perf_counter()
        os.fsync(descriptor)
        took.append((time.perf_counter() - began) * 1e6)
    os.close(descriptor)
    return statistics.mean(took), statistics.median(took)


def main() -> int:
    args = _arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-", dir=args.folder) as name:
        folder = Path(name)
        bench = Bench(args, folder)
        try:
            bench.run()
            disk = fsync_cost(folder)
        finally:
            bench.close()
    rows = bench.rows()
    facts = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"SQLite {binding.sqlite_version}, WAL, synchronous=FULL",
        "bare rate": f"{rows[0].rate:.0f} checkouts/s of {LINES_TOLD}",
        "WAL pages per commit": f"{bench.pages:.1f}",
        "fsync of 4 KB": f"{disk[0]:.0f} µs mean, {disk[1]:.0f} µs median",
        "repetitions": f"{args.repetitions}, interleaved, {args.requests} requests or {args.seconds} s each",
        "load by": TOOL,
        "took": f"{time.monotonic() - began:.0f} s",
    }
    print(table(rows), end="\n\n")
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print("files after the run: " + ("consistent" if not bench.wrong else "WRONG: " + "; ".join(bench.wrong)))
    if args.json:
        told = {"facts": facts, "rows": [row.to_json() for row in rows], "wrong": bench.wrong}
        args.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if bench.wrong else 0


LINES_TOLD: Final = "two lines over 10,000 variants"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default=PARTS, type=_parts, help="parts, such as a,b,e; default: all")
    parser.add_argument("--repetitions", type=int, metavar="N", help="default: 5, with --quick 3")
    parser.add_argument(
        "--requests", type=int, metavar="N", help="of a candidate in a repetition; default: 640, with --quick 320"
    )
    parser.add_argument("--seconds", type=int, metavar="S", help="of load on the server; default: 3, with --quick 1")
    parser.add_argument("--quick", action="store_true", help="shorter, and 100,000 orders for (f)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--folder", type=Path, help="where the files are made (6 GB for f); default: the system's")
    parser.add_argument("--verbose", action="store_true", help="say what is done, also when nobody looks")
    args = parser.parse_args()
    args.orders = (1_000, 100_000) if args.quick else ORDERS
    args.repetitions = args.repetitions or (3 if args.quick else 5)
    args.seconds = args.seconds or (1 if args.quick else 3)
    args.requests = args.requests or (320 if args.quick else 640)
    args.requests += -args.requests % 32
    return args


def _parts(text: str) -> str:
    chosen = text.replace(",", "").lower()
    if not chosen or set(chosen) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{text!r}: of {', '.join(PARTS)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())

"""The real server, `tally serve`, under load: wrk's where it is installed, else our own client's."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from bench.children import ENVIRONMENT, ROOT
from bench.shop import VARIANTS

WRK: Final = shutil.which("wrk")
TOOL: Final = "wrk" if WRK else "our own asyncio client (wrk is not installed; it would take less of the machine)"
LONG_READ: Final = "/products?q=shop&sort=-price&max_price=100&limit=100"
"""A filter that nothing matches: the whole list is looked at."""
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1_000.0}
_LOCK: Final = """
import sys, time
from pathlib import Path
from db.engines.sqlite import open_connection
connection = open_connection(Path(sys.argv[1]))
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    connection.execute("BEGIN IMMEDIATE")
    time.sleep(0.2)
    connection.execute("ROLLBACK")
    time.sleep(0.8)
connection.close()
"""


class Load(NamedTuple):
    """What a run of load came to. Milliseconds; `errors` are answers that are no success, and broken connections."""

    rate: float
    p50: float
    p99: float
    errors: int


class Server:
    """`tally serve` on a file, in a process of its own. `disturbance` runs beside the load: lock, reads or nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        arguments = [sys.executable, "-m", "cli.main", "serve", "--port", "0", "--no-jobs"]
        arguments += ["--database-url", f"sqlite:///{path}"]
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT)
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not (port := re.search(r":(\d+)\s*$", told)):
            raise RuntimeError(f"the server did not start: {told}")
        self._port = int(port[1])

    def load(self, clients: int, seconds: int, seed: int, disturbance: str = "") -> Load:
        with _disturbed(disturbance, self._port, self.path, seconds):
            return _wrk(self._port, clients, seconds, seed) if WRK else _own(self._port, clients, seconds, seed)

    def close(self) -> None:
        """End it in good order; what does not end is ended."""
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def _disturbed(disturbance: str, port: int, path: Path, seconds: int) -> Iterator[None]:
    if not disturbance:
        yield
        return
    arguments = {
        "lock": [sys.executable, "-c", _LOCK, str(path), str(seconds)],
        "reads": [sys.executable, "-m", "bench.client", str(port), "2", str(seconds), "0", LONG_READ],
    }[disturbance]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=ENVIRONMENT, cwd=ROOT) as beside:
        try:
            yield
        finally:
            beside.terminate()
            beside.wait(20)


def _wrk(port: int, clients: int, seconds: int, seed: int) -> Load:
    assert WRK is not None
    script = str(Path(__file__).with_name("post.lua"))
    done = subprocess.run(
        [WRK, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{port}/checkout"],
        capture_output=True, text=True, timeout=seconds + 60,
        env={**os.environ, "SEED": str(seed), "VARIANTS": str(VARIANTS)},
    )  # fmt: skip
    said = done.stdout
    rate, p50, p99 = (
        re.search(pattern, said, re.M)
        for pattern in (r"Requests/sec:\s+([\d.]+)", r"^ +50% +([\d.]+)(\w+)", r"^ +99% +([\d.]+)(\w+)")
    )
    if not rate or not p50 or not p99:
        raise RuntimeError(f"wrk said: {said}{done.stderr}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = (int(bad[1]) if bad else 0) + (sum(map(int, broken.groups())) if broken else 0)
    return Load(float(rate[1]), float(p50[1]) * _UNITS[p50[2]], float(p99[1]) * _UNITS[p99[2]], errors)


def _own(port: int, clients: int, seconds: int, seed: int) -> Load:
    done = subprocess.run(
        [sys.executable, "-m", "bench.client", str(port), str(clients), str(seconds), str(seed)],
        capture_output=True, text=True, timeout=seconds + 60, env=ENVIRONMENT, cwd=ROOT, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    took = sorted(told["took"])
    middle, last = statistics.median(took), took[int(len(took) * 0.99)]
    return Load(len(took) / told["seconds"], middle * 1_000, last * 1_000, told["errors"])

"""A libSQL server and its writers in two networks, and the link between them goes down and comes back.

Both are network namespaces of this machine, joined by a pair of virtual interfaces. While the link is down a buyer
hears `503` in a bounded time; the writers ask with the same keys until the link is back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from api.settings import settings
from proof.memory import Verdict
from tests.faults.ground import HANDLER, Cannot, Ground, Row, asked, at_work, judged, opened_on, purchase
from tests.faults.namespaces import UNSHARE
from tests.faults.namespaces import missing as no_namespaces
from tests.faults.placing import Placing
from tools.engines import Sqld, missing

FAULT: Final = "partition: libsql"
OURS, THEIRS = "10.73.0.1", "10.73.0.2"
CUTS: Final = 5
WRITERS, PROCESSES = 4, 2
DOWN_SECONDS: Final = 3.0
TIMEOUT_MS: Final = 2_000
WAIT_MAX: Final = 20.0
"""Of a buyer, in seconds: a few tries of the time-out, on a busy machine."""


def run(ground: Ground) -> Iterator[Row]:
    for command, package in (("ip", "iproute2"), ("nsenter", "util-linux")):
        if shutil.which(command) is None:
            raise Cannot(f"there is no {command}: `apt-get install {package}`")
    if reason := no_namespaces("--net") or missing():
        raise Cannot(reason)
    inside = [*UNSHARE, "--mount", "--net", sys.executable, "-m", "tests.faults.partition", str(ground.folder)]
    done = subprocess.run(inside, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"the partition failed:\n{done.stderr[-2_000:]}")
    told = json.loads(done.stdout)
    verdict = Verdict(told["lost"], told["double"], told["violated"])
    yield Row(FAULT, told["cuts"], told["acknowledged"], verdict, note=told["note"])


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=30)


def main(folder: Path) -> None:
    """In the writers' network: print what became of it."""
    elsewhere = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        there = _joined(elsewhere.pid)
        sqld = Sqld(folder / "sqld", host=THEIRS, within=there)
        try:
            sqld.start()
            url = sqld.create("shop")
            os.environ.update(DATABASE_URL=url, DATABASE_TOKEN=sqld.token, QUERY_TIMEOUT_MS=str(TIMEOUT_MS))
            settings.cache_clear()
            _cut(url, sqld.token)
        finally:
            sqld.stop()
    finally:
        elsewhere.kill()
        elsewhere.wait()


def _joined(process: int) -> tuple[str, ...]:
    """Join the network of `process` to this one; what runs a command there."""
    patience = time.monotonic() + 30
    while Path(f"/proc/{process}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        if time.monotonic() > patience:
            raise RuntimeError("no second network")
        time.sleep(0.01)
    there = ("nsenter", "--target", str(process), "--net")
    _run("ip", "link", "add", "shop0", "type", "veth", "peer", "name", "shop1", "netns", str(process))
    _run("ip", "address", "add", f"{OURS}/24", "dev", "shop0")
    _run(*there, "ip", "address", "add", f"{THEIRS}/24", "dev", "shop1")
    for command in (("lo",), ("shop0",)):
        _run("ip", "link", "set", *command, "up")
    for command in (("lo",), ("shop1",)):
        _run(*there, "ip", "link", "set", *command, "up")
    return there


def _cut(url: str, token: str) -> None:
    row, memory = Row(FAULT), asyncio.run(opened_on(url, token))
    writing, longest = Placing(HANDLER, list(memory.opened), WRITERS, PROCESSES), 0.0
    try:
        for _ in range(CUTS):
            writing.until(4 * WRITERS, 60)
            _run("ip", "link", "set", "shop0", "down")
            began = time.monotonic()
            told = at_work(asked(HANDLER, purchase(memory)))
            longest = max(longest, time.monotonic() - began)
            if told.status != 503 or "retry-after" not in told.headers:
                row.wrong(f"no link, and a buyer was told {told.status} {told.code}")
            time.sleep(max(0.0, DOWN_SECONDS - (time.monotonic() - began)))
            _run("ip", "link", "set", "shop0", "up")
        writing.until(4 * WRITERS, 60)
        whole = writing.stop()
    finally:
        writing.close()
    for one in whole.placed:
        memory.placed(one.key, one.order, one.cart)
    memory.wrong += [*whole.wrong, *[f"{key} never got an answer" for key in whole.unanswered]]
    row.add(asyncio.run(judged(url, memory, token)))
    if longest > WAIT_MAX:
        row.wrong(f"a buyer waited for {longest:.1f} s")
    found = sum(one.replayed for one in whole.placed)
    unknown = whole.counts["unknown"]
    note = f"the longest wait was {longest:.1f} s; {unknown} outcomes unknown, {found} orders found by their key"
    print(json.dumps({"cuts": CUTS, "acknowledged": memory.acknowledged, "note": note, **row.verdict._asdict()}))


if __name__ == "__main__":
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    logging.disable()
    main(Path(sys.argv[1]))

"""A disk that is full: orders until there is no room, `503` from then on while reads go on, and again once there is.

The disk is a small tmpfs in a mount namespace of its own, so nobody else sees it; made larger, it has room again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from proof.memory import Verdict
from tests.faults.ground import HANDLER, Cannot, Ground, Purchase, Row, Shop, asked, at_work, bought, hear, purchase
from tests.faults.namespaces import UNSHARE, missing

FAULT: Final = "disk is full"
ROOM_KIB: Final = 3_072
"""A new shop is some 1.2 MB."""
REFUSALS: Final = 20
ORDERS_MAX: Final = 5_000


def run(ground: Ground) -> Iterator[Row]:
    if reason := missing("--mount"):
        raise Cannot(reason)
    command = [*UNSHARE, "--mount", sys.executable, "-m", "tests.faults.full_disk", str(ground.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode == 3:
        raise Cannot(f"a tmpfs cannot be mounted: {done.stderr.strip()[-200:]}")
    if done.returncode != 0:
        raise RuntimeError(f"the full disk failed:\n{done.stderr[-2_000:]}")
    told = json.loads(done.stdout)
    verdict = Verdict(told["lost"], told["double"], told["violated"])
    yield Row(FAULT, told["refused"], told["acknowledged"], verdict, note=told["note"])


def _mount(disk: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        sys.exit(3)


def main(folder: Path) -> None:
    """In the namespace: print what became of it."""
    disk = folder / "disk"
    disk.mkdir()
    _mount(disk, f"size={ROOM_KIB}k")
    shop = Shop.new(folder / "shop.db").copy(disk / "shop.db")
    shop.here()
    row = Row(FAULT)
    waiting = at_work(_until_full(shop, row))
    free = shutil.disk_usage(disk).free
    _mount(disk, f"remount,size={4 * ROOM_KIB}k")
    at_work(_afterwards(shop, waiting))
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    row.note = f"{free} bytes were left; every order that was refused was placed later"
    facts = {"refused": row.injected, "acknowledged": row.acknowledged, "note": row.note}
    print(json.dumps({**facts, **row.verdict._asdict()}))


async def _until_full(shop: Shop, row: Row) -> list[Purchase]:
    """Who was refused and waits. Reads are tried in between."""
    waiting: list[Purchase] = []
    for _ in range(ORDERS_MAX):
        one = purchase(shop.memory)
        told = await asked(HANDLER, one)
        if told.status != 503:
            hear(shop.memory, one, told)
            continue
        if "retry-after" not in told.headers:
            row.wrong("a 503 without Retry-After")
        row.injected += 1
        waiting.append(one)
        if not await _can_read():
            row.wrong("nothing can be read while the disk is full")
        if len(waiting) == REFUSALS:
            return waiting
    row.wrong("the disk did not get full")
    return waiting


async def _can_read() -> bool:
    from functions.catalog.list_products import list_products
    from proof.asking import Asking, ask

    told = await ask(list_products, Asking("", "/products?limit=1", method="GET"))
    return told.status == 200


async def _afterwards(shop: Shop, waiting: list[Purchase]) -> None:
    for one in [*waiting, *[purchase(shop.memory) for _ in range(REFUSALS)]]:
        hear(shop.memory, one, await bought(HANDLER, one))


if __name__ == "__main__":
    import logging
    import os
    import secrets

    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    logging.disable()
    main(Path(sys.argv[1]))

"""A disk that fails to write or to sync (EIO), and one that says that it is full (ENOSPC), at a checkout.

strace lets the K-th such call of a forked process fail, or that one and all that follow. The buyer asks, hears `201` or
`503`, and asks again. When the process is gone, he asks once more on a sound disk.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from tests.faults import strace
from tests.faults.children import Notes
from tests.faults.ground import HANDLER, Cannot, Ground, Row, Shop, purchase

FAULT: Final = "disk fails"
SHORT: Final = (1, 10, 30, 50, 70)
WHERE: Final = {("EIO", "write"): range(1, 1_000), ("ENOSPC", "write"): range(1, 1_000, 4)}
CALLS: Final = {"write": ("pwrite64",), "sync": ("fsync", "fdatasync")}
"""Which of the two syncs is used, a build of SQLite decides."""


def run(ground: Ground) -> Iterator[Row]:
    if reason := strace.missing():
        raise Cannot(reason)
    importlib.import_module(HANDLER)
    template = Shop.new(ground.folder / "shop.db")
    for error, what in product(("EIO", "ENOSPC"), CALLS):
        numbers: Sequence[int] = WHERE.get((error, what), range(1, 1_000))
        row = Row(f"{FAULT}: {error} at {what}")
        told_503 = sum(
            _failed(row, template, error, call, SHORT if ground.short and what == "write" else numbers)
            for call in CALLS[what]
        )
        row.note = f"{told_503} times 503"
        if not told_503:
            row.wrong("no failure reached the buyer, so this proves nothing")
        yield row


def _failed(row: Row, template: Shop, error: str, call: str, numbers: Sequence[int]) -> int:
    """How often the buyer was told 503."""
    folder, told_503 = template.path.parent, 0
    for number in numbers:
        log, count = folder / "calls", 0
        for following in ("", "+"):
            shop, notes = template.copy(folder / "broken.db"), Notes(folder / "notes")
            one = purchase(shop.memory)
            shop.here()
            inject = f"inject={call}:error={error}:when={number}{following}"
            notes.in_child(HANDLER, one, ["-o", str(log), "-e", f"trace={call}", "-e", inject], attempts=3)
            count = log.read_text().count("(INJECTED)")
            if not count:
                break
            row.injected += count
            told_503 += sum(note["status"] == 503 for note in notes.hear(shop.memory, [one]))
            shop.again(one)
            row.acknowledged += shop.memory.acknowledged
            row.add(shop.judge())
        if not count:
            break
    return told_503

"""Processes that die at the product's failpoints, over and over, while they place orders.

A forked process buys until a failpoint kills it; the next one asks with the key that got no answer. Planted: a
checkout that acknowledges before it commits.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from db import failpoints
from tests.faults.children import Notes, in_child
from tests.faults.ground import HANDLER, HASTY_HANDLER, Ground, Purchase, Row, Shop, at_work, purchase

FAULT: Final = "death at failpoints"
POINTS: Final = ("after_begin", "before_commit", "after_commit", "answer_lost")
CHANCE: Final = 0.05
DEATHS, DEATHS_SHORT, DEATHS_HASTY = 400, 40, 10


def run(ground: Ground) -> Iterator[Row]:
    yield _died(Row(FAULT), ground, HANDLER, DEATHS_SHORT if ground.short else DEATHS)
    yield _died(Row(f"{FAULT}: hasty checkout", planted=True), ground, HASTY_HANDLER, DEATHS_HASTY)


def _died(row: Row, ground: Ground, module: str, deaths: int) -> Row:
    importlib.import_module(module)
    shop, notes = Shop.new(ground.folder / f"{module}.db"), Notes(ground.folder / "notes")
    shop.here()
    some: list[Purchase] = []
    asked: set[str] = set()
    while row.injected < deaths:
        answered = {note["key"] for note in notes.read() if note["status"] == 201}
        waiting = [one for one in some if one.key not in answered and one.key in asked]
        more = waiting + [purchase(shop.memory) for _ in range(12)]
        some += more[len(waiting) :]
        asked.update(one.key for one in more)
        row.injected += not in_child(partial(_buy, module, more, notes, str(row.injected)))
    notes.hear(shop.memory, some)
    for one in some:
        shop.again(one)
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    return row


def _buy(module: str, some: list[Purchase], notes: Notes, seed: str) -> None:
    failpoints.arm(",".join(f"{point}={CHANCE}" for point in POINTS), seed)

    async def work() -> None:
        for one in some:
            await notes.ask(module, one, 5)

    at_work(work())

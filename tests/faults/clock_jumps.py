"""The wall clock jumps in mid-load: an hour on and back, and ten years back.

Forked processes place orders, hold stock and release it, one of them runs the job that ends holds; all look at a clock
that jumps under them, in `api.clock`, the one place of the product that looks at it. No piece may be freed twice.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import multiprocessing
import random
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from api import clock
from proof.memory import Hold
from tests.faults.children import Notes
from tests.faults.crowd import at_once
from tests.faults.ground import HANDLER, Ground, Row, Shop, at_work, bought, purchase
from tests.faults.holding import hold, release, staff_key

FAULT: Final = "clock jumps"
JOB: Final = "functions.jobs.expire_reservations"
WORKERS: Final = 3
SECONDS, SECONDS_SHORT = 30.0, 6.0
REST_SECONDS: Final = 0.3
HOUR: Final = 3_600
JUMPS: Final = (HOUR, 0, -HOUR, HOUR, -10 * 365 * 24 * HOUR, 0)
"""Seconds that the clock is wrong by, one after the other."""


def run(ground: Ground) -> Iterator[Row]:
    for module in (HANDLER, JOB, "functions.stock.create_reservation", "functions.stock.delete_reservation"):
        importlib.import_module(module)
    shop, notes, row = Shop.new(ground.folder / "shop.db"), Notes(ground.folder / "notes"), Row(FAULT)
    shop.memory.began = 0  # ids of ten years ago are of this run, too
    key = staff_key(shop)
    shop.here()
    wrong_by, jumps = multiprocessing.Value("q", 0), multiprocessing.Value("i", 0)
    until = time.monotonic() + (SECONDS_SHORT if ground.short else SECONDS)
    trade = partial(_trade, shop, key, notes, wrong_by, until)
    at_once([*[trade] * WORKERS, partial(_expire, notes, wrong_by, until), partial(_jump, wrong_by, jumps, until)])
    row.injected = jumps.value
    _hear(shop, notes, row)
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    yield row


def _jump(wrong_by: Any, jumps: Any, until: float) -> None:
    for seconds in itertools.cycle(JUMPS):
        time.sleep(REST_SECONDS)
        if time.monotonic() > until:
            return
        wrong_by.value = seconds
        jumps.value += 1


def _use(wrong_by: Any) -> None:
    """In this process `api.clock` is wrong by that."""
    wrong = SimpleNamespace(
        time_ns=lambda: time.time_ns() + wrong_by.value * 1_000_000_000, gmtime=time.gmtime, strftime=time.strftime
    )
    vars(clock)["time"] = wrong


def _trade(shop: Shop, key: str, notes: Notes, wrong_by: Any, until: float) -> None:
    _use(wrong_by)
    random.seed()

    async def work() -> None:
        while time.monotonic() < until:
            one = purchase(shop.memory)
            told = await bought(HANDLER, one)
            notes.write(one, told)
            if told.status == 201:
                notes.add({"cart": one.cart, "of": told.body["id"]})
            variant = random.choice(list(shop.memory.opened))
            held = await hold(key, variant, 2, random.choice((1, 60, 900)))
            notes.add({"hold": held.body.get("id"), "variant": variant, "told": held.status})
            if held.status == 201 and random.random() < 0.5:
                released = await release(key, held.body["id"])
                notes.add({"released": held.body["id"], "told": released.status})

    at_work(work())


def _expire(notes: Notes, wrong_by: Any, until: float) -> None:
    _use(wrong_by)
    job = getattr(importlib.import_module(JOB), JOB.rpartition(".")[2])

    async def work() -> None:
        while time.monotonic() < until:
            notes.add({"expired": (await job.run()).get("expired", 0)})
            await asyncio.sleep(0.1)

    at_work(work())


def _hear(shop: Shop, notes: Notes, row: Row) -> None:
    found = notes.read()
    memory, carts = shop.memory, {note["of"]: note["cart"] for note in found if "of" in note}
    for note in found:
        if "hold" in note and note["told"] == 201:
            memory.holds[note["hold"]] = Hold(note["variant"], 2)
        elif "released" in note and note["told"] == 204:
            memory.holds[note["released"]].released = True
        elif "key" in note and note["status"] == 201:
            memory.placed(note["key"], note["order"], carts[note["order"]])
        elif note.get("told", note.get("status", 200)) not in (200, 409):
            row.wrong(f"an answer that nobody should get: {note}")
    expired = sum(note.get("expired", 0) for note in found)
    released = sum(one.released for one in memory.holds.values())
    row.note = f"of {len(memory.holds)} holds {released} were released and {expired} ended by the job"

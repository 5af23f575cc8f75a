"""The very same event delivered twenty times at once: an order, and a job's schedule.

Twenty forked processes hand the same API Gateway event to the handler, and afterwards the same event of the schedule
to `expire_reservations` while holds are due. One order and one answer for all; each hold ended once, its pieces back
once. Planted: a checkout that does not remember its answer.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from api.database import close_database
from db.helper import connect
from db.sql import unregistered
from proof.asking import Told
from proof.memory import Hold
from tests.faults.children import Notes
from tests.faults.crowd import at_once
from tests.faults.ground import ARTICLES, HANDLER, Ground, Purchase, Row, Shop, at_work, purchase
from tests.faults.holding import hold, staff_key
from tools.runtime.events import SCHEDULE, event

FAULT: Final = "delivered twenty times"
FORGETFUL: Final = "tests.plants.forget_the_key"
TIMES: Final = 20
ROUNDS, ROUNDS_SHORT = 10, 2
HOLDS: Final = 50

OVER: Final = unregistered(
    "UPDATE reservations SET created_at = '2026-01-01T00:00:00.000Z', expires_at = '2026-01-01T00:01:00.000Z' "
    "WHERE status = 'HELD'"
)
ENDED: Final = unregistered(
    "SELECT (SELECT count(*) FROM reservations WHERE status = 'EXPIRED') AS ended, "
    "(SELECT sum(reserved) FROM inventory) AS held, (SELECT sum(stock) FROM inventory) AS stock"
)


def run(ground: Ground) -> Iterator[Row]:
    rounds = ROUNDS_SHORT if ground.short else ROUNDS
    yield _orders(Row(f"{FAULT}: an order"), ground, HANDLER, rounds)
    yield _orders(Row(f"{FAULT}: forgetful", planted=True), ground, FORGETFUL, 1)
    yield _jobs(ground, rounds)


def _orders(row: Row, ground: Ground, module: str, rounds: int) -> Row:
    importlib.import_module(module)
    shop, notes = Shop.new(ground.folder / f"{module}.db"), Notes(ground.folder / "notes")
    shop.here()
    some = [purchase(shop.memory) for _ in range(rounds)]
    for one in some:
        at_once([partial(_deliver, module, one, notes)] * TIMES)
        row.injected += TIMES
    heard = notes.read()
    if not row.planted:
        notes.hear(shop.memory, some)
        for one in some:
            shop.again(one)
            told = {note["order"] for note in heard if note["key"] == one.key and note["status"] == 201}
            if len(told) != 1:
                row.wrong(f"one key was told {len(told)} orders")
    else:  # what a buyer believes who was told many: that he bought once
        first = {note["key"]: note for note in heard if note["status"] == 201}
        for one in some:
            shop.memory.placed(one.key, first[one.key]["order"], one.cart)
    row.acknowledged = shop.memory.acknowledged
    row.note = f"{sum(note['status'] == 201 for note in heard)} of {len(heard)} deliveries were answered 201"
    row.add(shop.judge())
    return row


def _deliver(module: str, one: Purchase, notes: Notes) -> None:
    headers = {"content-type": "application/json", "idempotency-key": one.key}
    sent = event("POST", "/checkout", headers=headers, body=json.dumps(one.body()))
    answer = _handed(module, sent)
    body = json.loads(answer["body"])
    notes.write(one, Told(answer["statusCode"], body.get("code"), body, {}))


def _handed(module: str, sent: Any) -> Any:
    """The Lambda handler's answer, on a loop of this process."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    answer = importlib.import_module(module).handler(sent, None)
    loop.run_until_complete(close_database())
    return answer


def _jobs(ground: Ground, rounds: int) -> Row:
    job = "functions.jobs.expire_reservations"
    importlib.import_module(job)
    shop, row = Shop.new(ground.folder / "jobs.db"), Row(f"{FAULT}: a job")
    key = staff_key(shop)
    shop.here()
    for number in range(1, rounds + 1):
        at_work(_hold(shop, key))
        asyncio.run(_over(shop))
        at_once([partial(_handed, job, SCHEDULE)] * TIMES)
        row.injected += TIMES
        _handed(job, SCHEDULE)  # whoever found the file busy comes again with the next schedule
        found = asyncio.run(_found(shop))
        if (found["ended"], found["held"]) != (number * HOLDS, 0):
            row.wrong(f"{found['ended']} of {number * HOLDS} holds are ended, {found['held']} pieces held")
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    return row


async def _hold(shop: Shop, key: str) -> None:
    for number in range(HOLDS):
        variant = list(shop.memory.opened)[number % ARTICLES]
        told = await hold(key, variant, 1)
        assert told.status == 201, told
        shop.memory.holds[told.body["id"]] = Hold(variant, 1)


async def _over(shop: Shop) -> None:
    db = await connect(f"sqlite:///{shop.path}")
    try:
        await db.batch([OVER()])
    finally:
        await db.close()


async def _found(shop: Shop) -> dict[str, int]:
    db = await connect(f"sqlite:///{shop.path}")
    try:
        [[row]] = await db.read(ENDED())
        return row
    finally:
        await db.close()

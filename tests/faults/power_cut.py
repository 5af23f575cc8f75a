"""A power cut at every moment of a run of orders, replayed from its system calls.

strace writes down what a process writes, cuts and syncs while it places orders, and when each is acknowledged. For
each moment the disks are made that a cut may leave: nothing that was not synced, all of it, or some, torn at sectors.
Each is opened as the product opens it: it must be sound, hold every order acknowledged by then, and keep the
invariants. Planted: `synchronous = OFF`, whose losses the same replay must find.
"""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from db.engines import sqlite
from db.helper import DatabaseError
from proof.memory import Memory, Verdict
from tests.faults import strace
from tests.faults.children import Notes, in_child
from tests.faults.crowd import at_once
from tests.faults.disks import STRACE, Call, Disk, calls
from tests.faults.ground import HANDLER, Cannot, Ground, Purchase, Row, Shop, at_work, purchase

FAULT: Final = "power cut"
ORDERS, ORDERS_OFF = 24, 3
CHECKPOINT_PAGES: Final = 40
"""The log is copied back after every other order, so that cuts meet that, too; the default is 1,000 pages."""
SOME: Final = 1
"""Random disks at each moment."""
PROCESSES: Final = 2


def run(ground: Ground) -> Iterator[Row]:
    if reason := strace.missing():
        raise Cannot(reason)
    importlib.import_module(HANDLER)
    shop = Shop.new(ground.folder / "shop.db")
    yield _cut(Row(f"{FAULT}: FULL"), shop, "FULL", ORDERS)
    yield _cut(Row(f"{FAULT}: OFF", planted=True), shop, "OFF", ORDERS_OFF)


def _cut(row: Row, template: Shop, synchronous: str, orders: int) -> Row:
    folder = template.path.parent
    shop, notes, log = template.copy(folder / "cut.db"), Notes(folder / "notes"), folder / "calls"
    some = [purchase(shop.memory) for _ in range(orders)]
    shop.here()
    before = shop.path.read_bytes()
    in_child(partial(_buy, synchronous, some, notes), ["-o", str(log), *STRACE])
    found, seed = list(calls(log)), random.randrange(1_000_000)
    whole = Disk({shop.path.name: before})
    for call in found:
        whole.do(call)
    if whole.now[shop.path.name] != bytearray(shop.path.read_bytes()):
        raise RuntimeError("the calls written down do not make the file that is there: nothing is replayed")
    notes.hear(shop.memory, some)
    row.acknowledged = shop.memory.acknowledged
    row.add(shop.judge())
    told = [folder / f"told-{number}" for number in range(PROCESSES)]
    at_once(
        [partial(_replay, shop, some, before, found, seed, number, path) for number, path in enumerate(told)],
        seconds=600,
    )
    for facts in (json.loads(one.read_text()) for one in told):
        row.injected += facts["disks"]
        row.add(Verdict(facts["lost"], facts["double"], facts["violated"]))
    syncs = sum(call.kind == "sync" for call in found)
    row.note = f"disks from {len(found)} calls, {syncs} of them syncs; seed {seed}"
    return row


def _buy(synchronous: str, some: Sequence[Purchase], notes: Notes) -> None:
    opened = sqlite.open_connection

    def open_otherwise(*arguments: Any, **options: Any) -> Any:
        connection = opened(*arguments, **options)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        return connection

    vars(sqlite)["open_connection"] = open_otherwise

    async def work() -> None:
        for one in some:
            await notes.ask(HANDLER, one)

    at_work(work())


def _replay(
    shop: Shop, some: Sequence[Purchase], before: bytes, found: Sequence[Call], seed: int, number: int, told: Path
) -> None:
    """Every PROCESSES-th moment, from `number`; what is wrong with its disks is written to `told`."""
    name = shop.path.name
    disk, draw = Disk({name: before, f"{name}-wal": b""}), random.Random(seed + number)
    orders = {order.key: one for one, order in shop.memory.orders.items()}
    row, acknowledged = Row(FAULT), 0
    for moment, call in enumerate(found):
        if call.kind == "told":
            acknowledged += call.name == "notes"
        elif not disk.do(call):
            continue
        if moment % PROCESSES != number:
            continue
        disks = [disk.now, *[disk.some(draw) for _ in range(SOME)]]
        if call.kind in ("sync", "told"):
            disks.append(disk.kept)
        told_by_then = [(orders[one.key], one) for one in some[: acknowledged + 1]]
        for files in disks:
            row.injected += 1
            row.add(_judged(shop, files, told_by_then, acknowledged, told.with_suffix(".db"), f"moment {moment}"))
    told.write_text(json.dumps({"disks": row.injected, **row.verdict._asdict()}))


def _judged(
    shop: Shop,
    files: dict[str, bytearray | None],
    orders: Sequence[tuple[str, Purchase]],
    acknowledged: int,
    path: Path,
    moment: str,
) -> Verdict:
    """What is wrong with a disk. The order after those acknowledged may be there: its buyer would ask again."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
        data = files.get(f"{shop.path.name}{suffix}")
        if data is not None:
            Path(f"{path}{suffix}").write_bytes(data)
    memory = Memory(dict(shop.memory.opened), began=shop.memory.began)
    try:
        with closing(sqlite.open_connection(path)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
            there = {row[0] for row in connection.execute("SELECT id FROM orders")}
        if sound != "ok":
            return Verdict([], [], [f"{moment}: integrity_check says {sound}"])
        for number, (order, one) in enumerate(orders):
            if number < acknowledged or order in there:
                memory.placed(one.key, order, one.cart)
        verdict = Shop(path, memory).judge()
    except (DatabaseError, sqlite.binding.Error) as error:
        return Verdict([], [], [f"{moment}: {error}"])
    return Verdict(*[[f"{moment}: {one}" for one in sentences] for sentences in verdict])

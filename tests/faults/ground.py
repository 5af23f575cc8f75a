"""What the faults stand on: a shop on a file, buyers that ask through the real handler, and a row of the table.

A fault is a module with `FAULT`, its name, and `run(ground)`, which gives its rows or raises Cannot.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import os
import random
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from api.clock import milliseconds_now
from api.database import close_database
from api.settings import settings
from db.helper import connect
from db.migrate import Migrations
from proof.asking import ADDRESS, CUSTOMER, Asking, Told, ask
from proof.books import SqlBooks
from proof.memory import Memory, Verdict, compare

HANDLER: Final = "functions.checkout"
HASTY_HANDLER: Final = "tests.plants.acknowledge_first"
ARTICLES, PIECES = 4, 100_000


class Cannot(RuntimeError):
    """This machine cannot do a fault; the text says what is missing and how to get it."""


class Ground(NamedTuple):
    """A folder for one fault's files, and whether it is the short form."""

    folder: Path
    short: bool


@dataclass
class Row:
    """A row of the table. A planted defect is good when it was found, anything else when nothing was."""

    fault: str
    injected: int = 0
    acknowledged: int = 0
    verdict: Verdict = field(default_factory=lambda: Verdict([], [], []))
    seconds: float = 0.0
    note: str = ""
    planted: bool = False

    @property
    def good(self) -> bool:
        return self.injected > 0 and self.acknowledged > 0 and self.verdict.good != self.planted

    def add(self, verdict: Verdict) -> None:
        for mine, more in zip(self.verdict, verdict, strict=True):
            mine.extend(more)

    def wrong(self, sentence: str) -> None:
        self.verdict.violated.append(sentence)


class Purchase(NamedTuple):
    """What a buyer asks for, with the key that he asks with again."""

    key: str
    cart: dict[str, int]

    def body(self) -> dict[str, Any]:
        lines = [{"variant_id": variant, "quantity": quantity} for variant, quantity in self.cart.items()]
        return {"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS}


def purchase(memory: Memory) -> Purchase:
    return Purchase(secrets.token_hex(16), {one: random.randint(1, 3) for one in random.sample(list(memory.opened), 2)})


def opened(path: Path) -> Memory:
    """A migrated shop with articles in the file `path`."""
    return asyncio.run(opened_on(f"sqlite:///{path}"))


async def opened_on(url: str, token: str = "") -> Memory:
    """The same on any empty database."""
    db = await connect(url, token=token)
    try:
        await Migrations().up(db)
        began = milliseconds_now()
        return Memory(dict.fromkeys(await SqlBooks(db).open(ARTICLES, PIECES), PIECES), began=began)
    finally:
        await db.close()


@dataclass
class Shop:
    """A shop on a file, and what was acknowledged of it."""

    path: Path
    memory: Memory

    @classmethod
    def new(cls, path: Path) -> Shop:
        return cls(path, opened(path))

    def copy(self, path: Path) -> Shop:
        """The same in another file; whatever was there is gone."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.path, path)
        return Shop(path, copy.deepcopy(self.memory))

    def here(self) -> None:
        """What this process and its children ask from now on goes there."""
        os.environ["DATABASE_URL"] = f"sqlite:///{self.path}"
        settings.cache_clear()

    def judge(self) -> Verdict:
        return asyncio.run(judged(f"sqlite:///{self.path}", self.memory))

    def again(self, one: Purchase, module: str = HANDLER) -> None:
        """Ask with the same key, as whoever got no answer does, and remember what was told."""
        self.here()
        hear(self.memory, one, at_work(bought(module, one)))


async def judged(url: str, memory: Memory, token: str = "") -> Verdict:
    db = await connect(url, token=token)
    try:
        return await compare(db, memory)
    finally:
        await db.close()


def at_work(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of some work with this process's client, which is closed afterwards."""

    async def run() -> Any:
        try:
            return await work
        finally:
            left_behind = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.gather(*left_behind, return_exceptions=True)
            await close_database()

    return asyncio.run(run())


async def asked(module: str, one: Purchase) -> Told:
    """One answer of a handler."""
    app = importlib.import_module(module).handler.app
    return await ask(app, Asking(app.module, "/checkout", body=one.body(), headers={"idempotency-key": one.key}))


async def bought(module: str, one: Purchase, seconds: float = 30.0) -> Told:
    """The first answer that is not `503`, or the last one."""
    return await patient(partial(asked, module, one), seconds)


async def patient(ask_once: Callable[[], Awaitable[Told]], seconds: float = 30.0) -> Told:
    """The first answer that is not `503`, or the last one."""
    patience = time.monotonic() + seconds
    while True:
        told = await ask_once()
        if told.status != 503 or time.monotonic() > patience:
            return told
        await asyncio.sleep(random.uniform(0.02, 0.2))


def hear(memory: Memory, one: Purchase, told: Told) -> None:
    if told.status == 201:
        memory.placed(one.key, told.body["id"], one.cart)
    else:
        memory.wrong.append(f"{one.key} was told {told.status} {str(told.body)[:200]}")

"""Processes that place one order after the other through the real handler, and give up none without an answer.

Each writer makes a key, and asks with that key again until it is answered. What it was told is remembered here, away
from the database, to be held against the rows afterwards.
"""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from proof.asking import ADDRESS, CUSTOMER, Asking, ask

ANSWER_SECONDS: Final = 60
"""A key that has no answer by then never gets one."""


class Placed(NamedTuple):
    """An order that was acknowledged: the key, what the answer said, and what was asked for."""

    key: str
    order: str
    cart: dict[str, int]
    replayed: bool
    """The answer was found under the key: the order had been kept, and its answer lost."""
    asked: float = 0.0
    """When the key was first sent, in seconds of the monotonic clock that the processes of a machine share."""
    answered: float = 0.0


class Told(NamedTuple):
    """What the writers of all processes were told."""

    placed: list[Placed]
    unanswered: list[str]
    """Keys without an answer."""
    wrong: list[str]
    """Answers that no writer should see."""
    counts: Counter[str]
    """`unknown` round trips, whose outcome nobody told, and answers `busy` that were asked again."""


class Placing:
    """Writers at work, from the beginning until `stop`. The environment says on which database.

    Each rests for `pause` seconds, more or less, after each order.
    """

    def __init__(self, handler: str, variants: Sequence[str], writers: int, processes: int, pause: float = 0.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._stopped = context.Event()
        self._counts = [context.Value("i", 0) for _ in range(processes)]
        self._pipes, self._processes = [], []
        for number in range(processes):
            ours, theirs = context.Pipe()
            share = len(range(number, writers, processes))
            arguments = (theirs, self._stopped, self._counts[number], handler, list(variants), share, pause)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def count(self) -> int:
        """Orders acknowledged so far."""
        return sum(one.value for one in self._counts)

    def until(self, more: int, seconds: float) -> None:
        """Wait until so many more are acknowledged. Raises RuntimeError when that takes too long."""
        wanted, patience = self.count() + more, time.monotonic() + seconds
        while self.count() < wanted:
            if time.monotonic() > patience:
                raise RuntimeError(f"{wanted - self.count()} of {more} orders were not placed in {seconds:.0f} s")
            if not all(process.is_alive() for process in self._processes):
                raise RuntimeError("a process of writers has ended")
            time.sleep(0.005)

    def stop(self) -> Told:
        """Let each writer get its last answer; what all were told."""
        self._stopped.set()
        whole = Told([], [], [], Counter())
        for pipe in self._pipes:
            if not pipe.poll(ANSWER_SECONDS + 30):
                raise RuntimeError("a process of writers does not come home")
            told = pipe.recv()
            if isinstance(told, str):
                raise RuntimeError(f"a process of writers failed: {told}")
            whole.placed.extend(told.placed)
            whole.unanswered.extend(told.unanswered)
            whole.wrong.extend(told.wrong)
            whole.counts.update(told.counts)
        return whole

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def _work(
    pipe: Connection, stopped: Any, count: Any, handler: str, variants: list[str], writers: int, pause: float
) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        pipe.send(asyncio.run(_place(stopped, count, handler, variants, writers, pause)))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


async def _place(stopped: Any, count: Any, handler: str, variants: list[str], writers: int, pause: float) -> Told:
    from api.database import close_database
    from db.helper import Trip, observers

    told = Told([], [], [], Counter())

    def observe(trip: Trip) -> None:
        told.counts["unknown"] += trip.error == "Unknown"

    observers.append(observe)
    module = importlib.import_module(handler)
    try:
        app = module.handler.app
        await asyncio.gather(*[_writer(app, stopped, count, variants, pause, told) for _ in range(writers)])
        left_behind = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left_behind, return_exceptions=True)
    finally:
        await close_database()
    return told


async def _writer(app: Any, stopped: Any, count: Any, variants: list[str], pause: float, told: Told) -> None:
    while not stopped.is_set():
        key, cart = secrets.token_hex(16), {one: random.randint(1, 3) for one in random.sample(variants, 2)}
        lines = [{"variant_id": variant, "quantity": quantity} for variant, quantity in cart.items()]
        body = {"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS}
        asking = Asking(app.module, "/checkout", body=body, headers={"idempotency-key": key})
        asked = time.monotonic()
        patience = asked + ANSWER_SECONDS
        while (answer := await ask(app, asking)).status == 503 and time.monotonic() < patience:
            told.counts["busy"] += 1
            await asyncio.sleep(random.uniform(0.02, 0.2))
        if answer.status == 201:
            replayed = "idempotency-replayed" in answer.headers
            told.placed.append(Placed(key, answer.body["id"], cart, replayed, asked, time.monotonic()))
            with count.get_lock():
                count.value += 1
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
        elif answer.status == 503:
            told.unanswered.append(key)
        else:
            told.wrong.append(f"{answer.status} {str(answer.body)[:200]}")
            await asyncio.sleep(0.1)

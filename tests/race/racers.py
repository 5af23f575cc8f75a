"""Real processes that send requests to the real endpoints at the same moment, on one database file."""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import os
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any

from proof.asking import Asking, Told, ask


class Racers:
    """Processes that wait at a barrier and then run their share of the requests, as tasks of one loop each."""

    def __init__(self, processes: int = 4) -> None:
        context = multiprocessing.get_context("spawn")
        self.barrier = context.Barrier(processes)  # kept: the processes look for it by its name while they start
        self.pipes: list[Any] = []
        self.processes = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, self.barrier), daemon=True)
            process.start()
            self.pipes.append(ours)
            self.processes.append(process)

    def race(self, url: str, requests: list[Asking]) -> list[Told]:
        """The answers, in the order of the requests. Request n is sent by process n modulo their number."""
        count = len(self.pipes)
        for number, pipe in enumerate(self.pipes):
            pipe.send((url, requests[number::count]))
        answers: list[Any] = [None] * len(requests)
        for number, pipe in enumerate(self.pipes):
            assert pipe.poll(60), "a racer did not come home"
            told = pipe.recv()
            assert not isinstance(told, str), told
            answers[number::count] = told
        return answers

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join(30)
            process.close()


def tally(answers: list[Told]) -> Counter[tuple[int, str | None]]:
    """How many answers of each status and code."""
    return Counter((answer.status, answer.code) for answer in answers)


def _work(pipe: Connection, barrier: Any) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    from api.database import close_database
    from api.settings import settings

    while (job := pipe.recv()) is not None:
        url, requests = job
        os.environ["DATABASE_URL"] = url
        settings.cache_clear()
        try:
            pipe.send(loop.run_until_complete(_run(requests, barrier)))
        except Exception as error:  # the parent is told, instead of waiting for ever
            barrier.abort()
            pipe.send(f"{type(error).__name__}: {error}")
    loop.run_until_complete(close_database())
    loop.close()


async def _run(requests: list[Asking], barrier: Any) -> list[Told]:
    from api.database import database
    from api.settings import settings

    apps = []
    for request in requests:
        module = importlib.import_module(request.module)
        apps.append(getattr(module, request.module.rpartition(".")[2]))
    db = await database(settings())
    await db.health()
    barrier.wait(60)
    return await asyncio.gather(*(ask(app, request) for app, request in zip(apps, requests, strict=True)))

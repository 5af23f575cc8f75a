"""The buyers of race_checkout.py: tasks behind one barrier, spread over real processes that end with their parent."""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
import os
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from proof.asking import ADDRESS, CUSTOMER

BUYER_SECONDS: Final = 60
"""A buyer who has no answer by then counts as an error."""
PROCESS_SECONDS: Final = BUYER_SECONDS + 30


class Buyer(NamedTuple):
    """What one buyer sends: an idempotency key, and pieces by variant in this order."""

    key: str
    cart: dict[str, int]

    def body(self) -> bytes:
        lines = [{"variant_id": variant, "quantity": quantity} for variant, quantity in self.cart.items()]
        return json.dumps({"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS}).encode()

    def headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "idempotency-key": self.key}


class Told(NamedTuple):
    """The answer that a buyer got; status 0 and the error's text for none."""

    status: int
    body: Any


class Crowd:
    """Processes that hold buyers. `target` is the module of the handler that they call, or the URL of a server."""

    def __init__(self, processes: int, target: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._barrier = context.Barrier(processes)
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, self._barrier, target), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def race(self, buyers: Sequence[Buyer]) -> tuple[list[Told], float]:
        """What each was told, in their order, and the seconds from the barrier to the last answer."""
        count = len(self._pipes)
        for number, pipe in enumerate(self._pipes):
            pipe.send(buyers[number::count])
        told: list[Told] = [Told(0, "no answer")] * len(buyers)
        seconds = 0.0
        for number, pipe in enumerate(self._pipes):
            if not pipe.poll(PROCESS_SECONDS):
                raise RuntimeError("a process of buyers does not come home")
            answers, took = pipe.recv()
            if isinstance(answers, str):
                raise RuntimeError(f"a process of buyers failed: {answers}")
            told[number::count] = answers
            seconds = max(seconds, took)
        return told, seconds

    def close(self) -> None:
        """Send the processes home; whoever does not go is ended."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()


def _work(pipe: Connection, barrier: Any, target: str) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    # Whatever this process is waiting for: without its parent it has nothing to wait for.
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with asyncio.Runner() as runner:
        shop: Any = _Http(target) if "://" in target else _Handler(target)
        while True:
            try:
                buyers = pipe.recv()
            except EOFError:
                break
            try:
                pipe.send(runner.run(_run(shop, buyers, barrier)))
            except Exception as error:
                barrier.abort()
                pipe.send((f"{type(error).__name__}: {error}", 0.0))
        runner.run(shop.close())


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


async def _run(shop: Any, buyers: list[Buyer], barrier: Any) -> tuple[list[Told], float]:
    ready = [await shop.ready(buyer) for buyer in buyers]
    barrier.wait(BUYER_SECONDS)
    loop = asyncio.get_running_loop()
    began = loop.time()
    told = await asyncio.gather(*[_told(shop.ask(one)) for one in ready])
    return told, loop.time() - began


async def _told(asking: Any) -> Told:
    try:
        status, body = await asyncio.wait_for(asking, BUYER_SECONDS)
        return Told(status, json.loads(body))
    except Exception as error:
        return Told(0, f"{type(error).__name__}: {error}")


class _Handler:
    """Buyers of a handler's ASGI app, in this process, on its own connection to the file."""

    def __init__(self, module: str) -> None:
        self._app = importlib.import_module(module).handler.app

    async def ready(self, buyer: Buyer) -> Buyer:
        from api.database import database
        from api.settings import settings

        await (await database(settings())).health()  # the connection is open before the race
        return buyer

    async def ask(self, buyer: Buyer) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": buyer.body(), "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(name.encode(), value.encode()) for name, value in buyer.headers().items()]
        scope = {"type": "http", "method": "POST", "path": "/checkout", "query_string": b"", "headers": headers}
        await self._app(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    async def close(self) -> None:
        from api.database import close_database

        await close_database()


class _Http:
    """Buyers of a server, a connection each, opened before the race."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    async def ready(self, buyer: Buyer) -> tuple[Buyer, Any, Any]:
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        secure = True if self._url.scheme == "https" else None
        return buyer, *await asyncio.open_connection(self._url.hostname, port, ssl=secure)

    async def ask(self, ready: tuple[Buyer, asyncio.StreamReader, asyncio.StreamWriter]) -> tuple[int, bytes]:
        buyer, reader, writer = ready
        body = buyer.body()
        headers = {
            **buyer.headers(), "host": self._url.netloc, "content-length": str(len(body)), "connection": "close",
        }  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        try:
            writer.write(f"POST {self._url.path.rstrip('/')}/checkout HTTP/1.1\r\n{head}\r\n".encode() + body)
            answer = await reader.read(-1)
        finally:
            writer.close()
        first, _, rest = answer.partition(b"\r\n")
        return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]

    async def close(self) -> None:
        pass

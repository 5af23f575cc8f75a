"""One serving process that is asked many things at once, without a socket: it commits in groups."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api import database
from cli import derive
from cli.server import Application
from proof.asking import Asking, Told, ask


def served(requests: list[Asking], monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """The answers, in the order of the requests, of one server that got all of them before it answered any."""
    monkeypatch.setattr(database, "_serving", False)  # the server switches it on; the test's end takes it back
    derive.load()
    return asyncio.get_event_loop().run_until_complete(_serve(requests))


async def _serve(requests: list[Asking]) -> list[Told]:
    app = Application(derive.endpoints())
    spoken: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await database.close_database()
    life = asyncio.create_task(app({"type": "lifespan"}, spoken.get, heard.put))
    await spoken.put({"type": "lifespan.startup"})
    assert (await heard.get())["type"] == "lifespan.startup.complete"
    try:
        return await asyncio.gather(*(ask(app, request) for request in requests))
    finally:
        await spoken.put({"type": "lifespan.shutdown"})
        await life

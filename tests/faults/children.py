"""Forked processes that buy, may be killed, and write down what they were told."""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from proof.asking import Told
from proof.memory import Memory
from tests.faults.ground import Purchase, asked, at_work
from tests.faults.strace import Tracer

CHILD_SECONDS: Final = 120.0


class Notes:
    """What children were told, in a file: a line each, written with one system call, so it outlives their death."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"")

    def write(self, one: Purchase, told: Told) -> None:
        note: dict[str, Any] = {"key": one.key, "status": told.status, "code": told.code}
        if told.status == 201:
            note["order"] = told.body["id"]
        self.add(note)

    def add(self, note: dict[str, Any]) -> None:
        line = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(line, json.dumps(note).encode() + b"\n")
        finally:
            os.close(line)

    async def ask(self, module: str, one: Purchase, attempts: int = 1) -> None:
        """Ask a handler, write down what was told at once, and ask again after a `503`, so many times in all."""
        for _ in range(attempts):
            told = await asked(module, one)
            self.write(one, told)
            if told.status != 503:
                return

    def in_child(self, module: str, one: Purchase, trace: Sequence[str] = (), attempts: int = 1) -> bool:
        """`ask` in a process of its own; see `in_child`."""
        return in_child(lambda: at_work(self.ask(module, one, attempts)), trace)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def hear(self, memory: Memory, purchases: Sequence[Purchase]) -> list[dict[str, Any]]:
        """Remember the orders; an answer other than 201 and 503 is wrong. All notes."""
        carts = {one.key: one.cart for one in purchases}
        notes = self.read()
        for note in notes:
            if note["status"] == 201:
                memory.placed(note["key"], note["order"], carts[note["key"]])
            elif note["status"] != 503:
                memory.wrong.append(f"{note['key']} was told {note['status']} {note['code']}")
        return notes


def in_child(work: Callable[[], object], trace: Sequence[str] = (), seconds: float = CHILD_SECONDS) -> bool:
    """Do `work` in a forked process, which strace holds if there are arguments for it; whether it came to its end.

    False: it was killed (SIGKILL). Raises RuntimeError if it failed, or does not end.
    """
    gate, opener = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(opener)
            if os.read(gate, 1):
                work()
                os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(gate)
    tracer = None
    try:
        tracer = Tracer(child, trace) if trace else None
        os.write(opener, b"!")
        status = _ended(child, seconds)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(opener)
        if tracer is not None:
            tracer.close()
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"a child failed by itself ({status})")
    return status == 0


def _ended(child: int, seconds: float) -> int:
    patience = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > patience:
            raise RuntimeError(f"a child does not end in {seconds:.0f} s")
        time.sleep(0.002)
    return ended[1]

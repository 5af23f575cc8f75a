"""Forked processes that begin at once."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence


def at_once(works: Sequence[Callable[[], object]], seconds: float = 120.0) -> None:
    """Do each of `works` in a process of its own, all of them behind one barrier.

    Raises RuntimeError if one fails or does not end; none is left behind.
    """
    gate, opener = os.pipe()
    children = [_waiting(work, gate, opener) for work in works]
    os.close(gate)
    os.close(opener)  # whoever reads the gate sees its end, and all of them at once
    patience = time.monotonic() + seconds
    failed = 0
    while children:
        for child in list(children):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                children.remove(child)
                failed += status != 0
            elif time.monotonic() > patience:
                os.kill(child, signal.SIGKILL)
                failed += 1
        time.sleep(0.005)
    if failed:
        raise RuntimeError(f"{failed} of {len(works)} processes failed or did not end in {seconds:.0f} s")


def _waiting(work: Callable[[], object], gate: int, opener: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.close(opener)
        os.read(gate, 1)
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)

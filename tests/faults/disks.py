"""What a power cut may leave of a SQLite file and its log, by the system calls that wrote them.

A write, a cut to a length and an unlink are kept once their file was synced after them. Until then each may be there or
not, and of a write any of its sectors. That a new file has its name is taken for granted.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

TRACED: Final = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
STRACE: Final = ("-y", "-xx", "-s", "1000000", "-e", f"trace={TRACED}")
"""strace's arguments for a log that `calls` reads."""
SECTOR: Final = 512
_CALL: Final = re.compile(
    r'\d+ +(?P<call>\w+)\((?:(?P<fd>\d+)<(?P<path>[^>]*)>)?(?:, )?(?:"(?P<data>(?:\\x[0-9a-f]{2})*)")?'
    r"(?:, )?(?P<numbers>[\d, ]*)\) = (?P<result>-?\d+)"
)


class Call(NamedTuple):
    """A system call that was done: `write` of `data` at `offset`, `cut` to `offset` bytes, `sync`, `unlink`, `told`."""

    kind: str
    name: str
    """The file's name, without its folder."""
    offset: int = 0
    data: bytes = b""


def calls(log: Path) -> Iterator[Call]:
    """The calls in a log of strace. Raises ValueError for a line that is not understood."""
    for line in log.read_text().splitlines():
        if "+++ " in line or "--- " in line:
            continue
        found = _CALL.match(line)
        if found is None:
            raise ValueError(f"not a line of strace: {line[:200]}")
        call, data = found["call"], _bytes(found["data"])
        numbers = [int(one) for one in found["numbers"].split(", ") if one.strip()]
        name = Path(_bytes(found["path"]).decode() if found["path"] else data.decode()).name
        if int(found["result"]) < 0:
            continue
        if call == "pwrite64":
            yield Call("write", name, numbers[1], data[: int(found["result"])])
        elif call == "write":
            yield Call("told", name, 0, data)
        elif call == "ftruncate":
            yield Call("cut", name, numbers[0])
        else:
            yield Call("unlink" if call == "unlink" else "sync", name)


def _bytes(text: str | None) -> bytes:
    return bytes.fromhex((text or "").replace("\\x", ""))


class Disk:
    """Files as they are, as they surely stay, and what may come between, while calls are done one after the other."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.now: dict[str, bytearray | None] = {name: bytearray(data) for name, data in files.items()}
        self.kept = {name: None if data is None else bytearray(data) for name, data in self.now.items()}
        self._open: dict[str, list[Call]] = {name: [] for name in files}

    def do(self, call: Call) -> bool:
        """Whether it concerned a file of this disk."""
        if call.name not in self.now:
            return False
        if call.kind == "sync":
            now = self.now[call.name]
            self.kept[call.name] = None if now is None else bytearray(now)
            self._open[call.name] = []
        else:
            self.now[call.name] = _done(self.now[call.name], call)
            self._open[call.name].append(call)
        return True

    def some(self, draw: random.Random) -> dict[str, bytearray | None]:
        """A disk on which some of what is not synced is there."""
        found = {}
        for name, kept in self.kept.items():
            data = None if kept is None else bytearray(kept)
            for call in self._open[name]:
                for part in _parts(call, draw):
                    data = _done(data, part)
            found[name] = data
        return found


def _done(data: bytearray | None, call: Call) -> bytearray | None:
    if call.kind == "unlink":
        return None
    data = bytearray() if data is None else data
    end = call.offset + len(call.data)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    if call.kind == "write":
        data[call.offset : end] = call.data
    else:
        del data[call.offset :]
    return data


def _parts(call: Call, draw: random.Random) -> Iterator[Call]:
    """Nothing of it, all, or some of a write's sectors."""
    chance = draw.random()
    if chance < 0.4:
        return
    if call.kind != "write" or chance < 0.8:
        yield call
        return
    place = call.offset
    while place < (end := call.offset + len(call.data)):
        after = min(end, (place // SECTOR + 1) * SECTOR)
        if draw.random() < 0.5:
            yield Call("write", call.name, place, call.data[place - call.offset : after - call.offset])
        place = after

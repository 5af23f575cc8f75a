"""`kill -9` at every system call by which a checkout writes and syncs its file, and at those of a migration.

Each attempt is a forked process that strace kills as it enters its K-th write, sync or cut of a file, K = 1 to the
end; the file's last connection closes in it, so its checkpoint is among them. Then the buyer asks again with the
same key. A migration must be as before or as after one of its versions, and a second start must end as one that was
left alone. Planted: a checkout that acknowledges before it commits.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from db.migrate import DIRECTORY, Migrations
from tests.db.migration_support import state, up
from tests.db.rebuild_support import with_channel
from tests.faults import strace
from tests.faults.children import Notes, in_child
from tests.faults.ground import HANDLER, HASTY_HANDLER, Cannot, Ground, Row, Shop, purchase

FAULT: Final = "kill at each call"
CALLS: Final = ("pwrite64", "fsync", "fdatasync", "ftruncate")
MIGRATION_KILLS: Final = 150
"""At so many writes of a migration, evenly spread: from nothing it makes more than a thousand. At every sync."""
EVERY: Final = range(1, 1_000)
HASTY: Final = (1, 10, 20, 30)
"""The first eight writes are those of the lock table beside the log."""


def run(ground: Ground) -> Iterator[Row]:
    if reason := strace.missing():
        raise Cannot(reason)
    shop = Shop.new(ground.folder / "shop.db")
    yield _checkouts(Row(f"{FAULT}: checkout"), shop, HANDLER)
    yield _checkouts(Row(f"{FAULT}: hasty checkout", planted=True), shop, HASTY_HANDLER, HASTY)
    before = ground.folder / "nothing.db"
    in_child(partial(up, before, to=0))
    yield _migrated(f"{FAULT}: migration", before, DIRECTORY)
    for _ in range(10):
        shop.again(purchase(shop.memory))
    yield _migrated(f"{FAULT}: rebuild", shop.path, with_channel(ground.folder / "migrations"))


def kill_at(call: str, number: int) -> list[str]:
    """The arguments that make strace kill a process as it enters that call for the `number`-th time in a thread."""
    return ["-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"]


def _checkouts(row: Row, template: Shop, module: str, numbers: Sequence[int] = EVERY) -> Row:
    importlib.import_module(module)  # here, so that the children need not
    folder = template.path.parent
    for call in CALLS:
        for number in numbers:
            shop, notes = template.copy(folder / "killed.db"), Notes(folder / "notes")
            one = purchase(shop.memory)
            shop.here()
            ended = notes.in_child(module, one, kill_at(call, number))
            notes.hear(shop.memory, [one])
            if ended:
                break
            row.injected += 1
            shop.again(one)
            row.acknowledged += shop.memory.acknowledged
            row.add(shop.judge())
    return row


def _migrated(name: str, before: Path, folder: Path) -> Row:
    """Kills of `up` from `before` with the migrations of `folder`; `acknowledged` are the starts that came to their
    end afterwards.
    """
    row, path, after = Row(name), before.with_name("killed.db"), before.with_name("after.db")
    wholes = _wholes(before, after, folder)
    log = before.with_name("calls")
    _copied(before, path)
    in_child(partial(up, path, folder), ["-o", str(log), "-e", f"trace={','.join(CALLS)}"])
    calls = log.read_text().splitlines()
    for call in CALLS:
        found = sum(f" {call}(" in line for line in calls)
        stride = max(1, found // MIGRATION_KILLS) if call == "pwrite64" else 1
        for number in range(1, found + 1, stride):
            _copied(before, path)
            row.injected += not in_child(partial(up, path, folder), kill_at(call, number))
            if state(path) not in wholes:
                row.wrong(f"half a version after a kill at {call} {number}")
            up(path, folder)
            row.acknowledged += 1
            if state(path) != wholes[-1]:
                row.wrong(f"another end after a kill at {call} {number}")
    return row


def _wholes(before: Path, path: Path, folder: Path) -> Sequence[Any]:
    """What a file may be: as before, and as after each version."""
    _copied(before, path)
    found = [state(path)]
    first = (found[0][2] or [0])[-1]
    for version in range(first + 1, Migrations(folder).latest + 1):
        up(path, folder, to=version)
        found.append(state(path))
    return found


def _copied(source: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    shutil.copy(source, target)

"""Run as a script by the fault tests: a process that fills its disk, may not write, or is killed under load."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from db.helper import Database, DatabaseError, Unavailable, Unknown, connect
from db.sql import unregistered
from tests.db.engine_support import PIECE, SHELF, shelf

NOBODY = 65_534
LONG = unregistered("INSERT INTO shelves (id, name) VALUES (:id, :name)")


async def full_disk(db: Database, path: Path) -> None:
    """Prints how many batches were kept, how many refused, and how many were kept once there was room again."""
    kept = refused = after = 0
    await db.batch([shelf("first")])
    largest = max(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 200_000, resource.RLIM_INFINITY))
    for number in range(400):
        results = await asyncio.gather(
            *[db.batch([LONG(id=f"{number}-{part}", name=f"{number}-{part} {'x' * 2_000}")]) for part in range(3)],
            return_exceptions=True,
        )
        kept += sum(not isinstance(result, BaseException) for result in results)
        for result in results:
            if isinstance(result, Unavailable | Unknown):
                refused += 1
            elif isinstance(result, BaseException):
                raise result
        if refused >= 3:
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(5):
        await db.batch([shelf(f"after-{number}")])
        after += 1
    print(kept + 1, refused, after)


async def read_only(db: Database, path: Path) -> None:
    """Prints the name of the error that a write gets."""
    try:
        await db.batch([shelf("never")])
    except DatabaseError as error:
        print(type(error).__name__)


async def load(db: Database, number: str, acknowledge: str) -> None:
    """Writes shelves with a piece each, as fast as it can, and each one's id to the pipe; until it is killed."""

    async def buy(part: int) -> None:
        count = 0
        while True:
            name = f"{number}-{part}-{count}"
            batch = [SHELF(id=name, name=name), PIECE(id=name, shelf_id=name, count=1)]
            if acknowledge == "before":
                os.write(1, f"{name}\n".encode())
                await asyncio.sleep(0.002)
            await db.batch(batch)
            if acknowledge == "after":
                os.write(1, f"{name}\n".encode())
            count += 1

    if hasattr(db, "live"):
        db.live = 16  # so that they share their commits
    await asyncio.gather(*[buy(part) for part in range(16)])


async def main(what: str, path: Path, serving: str, *rest: str) -> None:
    db = await connect(f"sqlite:///{path}", serving=serving == "serving")
    if what == "read_only" and os.getuid() == 0:
        # Nobody may not read where an administrator's packages lie: what is imported late is imported now.
        import concurrent.futures.thread

        import aiosqlite

        assert aiosqlite and concurrent.futures.thread
        os.setuid(NOBODY)
    try:
        if what.startswith("load_"):
            await load(db, rest[0], what.removeprefix("load_"))
        else:
            await {"full_disk": full_disk, "read_only": read_only}[what](db, path)
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))

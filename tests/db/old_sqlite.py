"""Run as a script: the helper on the standard library's SQLite, as where pysqlite3 has no wheel."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.modules["pysqlite3"] = None  # type: ignore[assignment]
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from db.engines.sqlite import SAFE_WAL, binding  # noqa: E402
from db.helper import Conflict, Refused, connect, insert_many  # noqa: E402
from db.sql import guard, unregistered  # noqa: E402
from tests.db.engine_support import COUNT, PIECE, made, shelf  # noqa: E402


async def use(folder: Path) -> None:
    """What a shop asks of an engine: a guard, a constraint, a bulk insert, a snapshot, several at once."""
    db = await connect(f"sqlite:///{made(folder)}", serving=True)
    try:
        await asyncio.gather(*[db.batch([shelf(number)]) for number in range(10)])
        await insert_many(db, "pieces", [{"id": str(n), "shelf_id": "shelf-1", "count": n} for n in range(10)])
        try:
            await db.batch([shelf(99), unregistered(guard("0", "never", "'it''s'"))()])
        except Refused as refused:
            assert (refused.code, refused.detail) == ("never", "it's")
        try:
            await db.batch([PIECE(id="x", shelf_id="none", count=1)])
        except Conflict as conflict:
            assert conflict.kind == "foreign_key"
        assert await db.health()
        [[row], [mode]] = await db.read(COUNT(), unregistered("SELECT journal_mode FROM pragma_journal_mode")())
        age = "old" if binding.sqlite_version_info < SAFE_WAL else "new"
        print(age, type(db).__name__, mode["journal_mode"], row["n"])
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(use(Path(sys.argv[1])))

"""A batch whose outcome is known in the end, though answers get lost on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from db.helper import Busy, Database, DatabaseError, Results, Unknown
from db.sql import Statement

PATIENCE_SECONDS: Final = 60.0
PAUSE_SECONDS: Final = 0.05


async def surely(
    db: Database, statements: Sequence[Statement], is_done: Callable[[], Awaitable[bool]]
) -> Results | None:
    """The batch's rows; None if it was kept and its answer was lost.

    The batch begins with a guard that refuses it a second time, and `is_done` asks the database whether it was kept.
    Raises DatabaseError: whatever it is, the batch was not kept, unless it is Unknown, after a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    unsure = False
    while True:
        try:
            return await db.batch(statements)
        except (Busy, Unknown) as error:
            unsure = unsure or isinstance(error, Unknown)
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        except DatabaseError:
            if unsure and await is_done():
                return None
            raise

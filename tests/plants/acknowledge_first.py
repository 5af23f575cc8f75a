"""A planted defect: a checkout that tells the buyer before the order is kept.

Alone it behaves as the real one does; `tests/faults/engine_kills.py --handler tests.plants.acknowledge_first` finds it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order
from db.sql import Statement
from domain.checkout import REFUSES
from functions.checkout import CheckoutRequest, checkout

REAL = checkout.run
KEPT: set[asyncio.Task[None]] = set()


class Hasty(Call):
    async def commit(self, statements: Sequence[Statement], answer: Answer[Any]) -> Answer[Any]:
        await self.judged()
        task = asyncio.create_task(self._later(statements, answer))
        KEPT.add(task)
        task.add_done_callback(KEPT.discard)
        return answer

    async def _later(self, statements: Sequence[Statement], answer: Answer[Any]) -> None:
        with suppress(Exception):
            await super().commit(statements, answer)


@endpoint("POST /checkout", status=201, permission=PUBLIC, idempotency="required", errors=REFUSES)
async def acknowledge_first(request: CheckoutRequest, call: Call) -> Answer[Order]:
    return await REAL(request, Hasty(call.asked, call.settings, call.db))


def plant() -> None:
    """From now on it is what this process's shop does."""
    checkout.run = acknowledge_first.run


handler = Mangum(acknowledge_first, lifespan="off", text_mime_types=TEXT)

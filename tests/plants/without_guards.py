"""A planted defect: a checkout whose batch has lost its guards, so that what is short is sold all the same.

Alone it behaves as the real one does; `tally prove --plant without_guards` finds it.
"""

from collections.abc import Sequence
from typing import Any

from api.call import Answer, Call
from api.order_shapes import Order
from db.sql import Statement
from functions.checkout import CheckoutRequest, checkout

REAL = checkout.run


class Unguarded(Call):
    async def commit(self, statements: Sequence[Statement], answer: Answer[Any]) -> Answer[Any]:
        return await super().commit([one for one in statements if "guard:" not in one.sql.text], answer)


async def run(request: CheckoutRequest, call: Call) -> Answer[Order]:
    return await REAL(request, Unguarded(call.asked, call.settings, call.db))


def plant() -> None:
    """From now on it is what this process's shop does."""
    checkout.run = run

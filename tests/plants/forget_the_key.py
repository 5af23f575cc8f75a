"""A planted defect: a checkout that does not remember its answer, so that whoever asks again buys again.

Alone it behaves as the real one does; `tests/faults/engine_kills.py --handler tests.plants.forget_the_key` finds it.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order
from domain.checkout import REFUSES
from functions.checkout import CheckoutRequest, checkout

REAL = checkout.run


@endpoint("POST /checkout", status=201, permission=PUBLIC, idempotency="required", errors=REFUSES)
async def forget_the_key(request: CheckoutRequest, call: Call) -> Answer[Order]:
    return await REAL(request, Call(call.asked._replace(key=None), call.settings, call.db))


def plant() -> None:
    """From now on it is what this process's shop does."""
    checkout.run = forget_the_key.run


handler = Mangum(forget_the_key, lifespan="off", text_mime_types=TEXT)

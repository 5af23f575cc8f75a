"""A planted defect: a checkout that reads the stock, checks it, and then writes what it believes to be left.

Alone it behaves as the real one does; `tests/race/race_checkout.py --handler tests.plants.check_then_write` finds it.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.order_shapes import Order
from api.sale import read_sale
from db.sql import Sql
from db.statements import stock
from db.statements.placing import placing
from db.statements.stock import LOCATION
from domain.checkout import REFUSES, decide_sale
from functions.checkout import CheckoutRequest, _order, checkout

WRITE = Sql(
    """
    UPDATE inventory SET stock = l.value, updated_at = :now
    FROM json_each(:left) l WHERE inventory.variant_id = l.key AND +inventory.location_id = :location_id
    """,
    "inventory.pk",
    registered=False,
)


@endpoint("POST /checkout", status=201, permission=PUBLIC, idempotency="required", errors=REFUSES)
async def check_then_write(request: CheckoutRequest, call: Call) -> Answer[Order]:
    rows, _, _ = await read_sale(request, call)
    sale = decide_sale(rows, {}, coupon_code=request.coupon_code, expected_total=request.expected_total)
    order = _order(request, sale, call)
    text = dumps(order)
    left = {line.row["variant_id"]: line.row["stock"] - line.take for line in sale.lines}
    moves = [
        {"id": move, "variant_id": line.row["variant_id"], "quantity": line.take}
        for move, line in zip(call.ids("move", len(sale.lines)), sale.lines, strict=True)
    ]
    plan = [
        WRITE(left=dumps(left), location_id=LOCATION, now=call.now),
        *placing(
            order,
            text,
            user_id=None,
            api_key_id=None,
            cart_id=None,
            actor=call.actor.id,
            event_id=call.id("event"),
            message_id=call.id("outbox"),
        ),
        stock.SALE_MOVES(
            moves=dumps(moves), location_id=LOCATION, now=call.now, order_id=order["id"], actor=call.actor.id
        ),
    ]
    return await call.commit(plan, Answer(text, status=201, location=f"/orders/{order['id']}", version=1))


REAL = checkout.run


async def run(request: CheckoutRequest, call: Call) -> Answer[Order]:
    """A cart is checked out as ever."""
    return await (REAL if request.cart_id else check_then_write.run)(request, call)


def plant() -> None:
    """From now on it is what this process's shop does."""
    checkout.run = run


handler = Mangum(check_then_write, lifespan="off", text_mime_types=TEXT)

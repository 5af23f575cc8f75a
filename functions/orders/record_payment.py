"""POST /orders/{order}/payments: write down a payment received by hand (cash, bank transfer), or change nothing.

Staff with payments:create. When the settled payments reach the total, the order is PAID in the same batch. Of two
payments that together exceed the total one finds the sum that it read; the other is run again and told what is still
due (trigger payments_match_the_order underneath). An order of a total of 0 becomes PAID by an amount of 0, which
leaves no payment.
"""

from typing import Annotated, Literal

from mangum import Mangum
from pydantic import Field, Strict

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.order_shapes import OrderKey, OrderStatus
from api.problems import Problem, invalid
from api.shapes import Currency, Shape, Time, Total, id_of
from db.sql import Sql, guard
from db.statements import orders
from domain.orders import check_transition, due_after, reference_of
from domain.refusals import Refusal


class RecordPaymentRequest(Shape):
    order: OrderKey
    provider: Literal["manual"]
    amount: Annotated[int, Strict(), Field(ge=0, le=2**53 - 1)] = Field(
        description="Minor units of the order's currency; 0 only if the order's total is 0.", examples=[2598]
    )
    transaction_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="The bank's or the till's; not to be written down twice.",
    )
    note: str | None = Field(default=None, max_length=2_000)


class RecordedPayment(Shape):
    id: id_of("payment") | None = Field(description="Null when nothing was to be paid.")  # type: ignore[valid-type]
    order_id: id_of("order")  # type: ignore[valid-type]
    provider: Literal["manual"]
    status: Literal["SETTLED"]
    amount: Total
    currency: Currency
    transaction_id: str | None
    created_at: Time
    order_status: OrderStatus = Field(description="PAID once all is paid; the ETag is the order's version.")


_SETTLED = "SELECT coalesce(sum(amount), 0) FROM payments WHERE status = 'SETTLED' AND order_id"
PAYABLE = Sql(
    f"""
    SELECT o.id, o.status, o.version, o.total, o.currency,
      ({_SETTLED} = o.id) AS settled,
      EXISTS (SELECT 1 FROM payments WHERE transaction_id = :transaction_id) AS known
    FROM orders o WHERE {orders.THE_ORDER}
    """,
    "orders_reference_once",
    "orders.pk",
    "payments_by_order",
    "payments_transaction_once",
)
SETTLED_AS_READ = Sql(guard(f"({_SETTLED} = :order_id) = :settled", "stale", "'payments'"), "payments_by_order")
ADD_PAYMENT = Sql("""
    INSERT INTO payments (id, order_id, provider, status, transaction_id, amount, paid_price, currency, settled_at,
      raw_payload, created_at, updated_at)
    VALUES (:id, :order_id, 'MANUAL', 'SETTLED', :transaction_id, :amount, :amount, :currency, :now,
      json_object('recorded_by', :actor, 'note', :note), :now, :now)
""")


@endpoint(
    "POST /orders/{order}/payments",
    status=201,
    permission="payments:create",
    idempotency="required",
    if_match="optional",
    errors=("not_found", "illegal_transition", "payment_exceeds_due", "already_exists"),
)
async def record_payment(request: RecordPaymentRequest, call: Call) -> Answer[RecordedPayment]:
    amount, transaction_id, now = request.amount, request.transaction_id, call.now
    [found] = await call.read(
        PAYABLE(order=request.order, reference=reference_of(request.order), transaction_id=transaction_id)
    )
    if not found:
        raise Refusal("not_found")
    order = found[0]
    call.match(order["version"])
    check_transition(order["status"], "PAID")
    if order["known"]:
        raise Problem("already_exists", errors=[("/transaction_id", "already_exists", {})])
    due = due_after(order["total"], order["settled"], amount)
    if amount == 0 and due > 0:
        raise invalid("/amount", "greater_than", gt=0)
    payment = {
        "id": call.id("payment") if amount else None,
        "order_id": order["id"],
        "amount": amount,
        "currency": order["currency"],
        "transaction_id": transaction_id,
    }
    plan = [orders.AS_READ(id=order["id"], version=order["version"], status=order["status"])]
    if amount:
        plan += [
            SETTLED_AS_READ(order_id=order["id"], settled=order["settled"]),
            ADD_PAYMENT(**payment, actor=call.actor.id, note=request.note, now=now),
        ]
    if due == 0:
        ids = {"event_id": call.id("event"), "message_id": call.id("outbox")}
        plan += orders.moving(order, "PAID", **ids, actor=call.actor.id, now=now)
    body = {"provider": "manual", "status": "SETTLED", "created_at": now, "order_status": "PENDING" if due else "PAID"}
    call.audit("payments:create", "orders", order["id"], before={"order_status": "PENDING"}, after={**payment, **body})
    # An amount of 0 creates nothing: the order is changed, and that is all.
    made = {"status": 201, "location": f"/orders/{order['id']}"} if amount else {"status": 200}
    return await call.commit(plan, Answer({**payment, **body}, **made, version=order["version"] + (due == 0)))


handler = Mangum(record_payment, lifespan="off", text_mime_types=TEXT)

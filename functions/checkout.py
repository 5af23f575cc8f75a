"""POST /checkout: place an order from a cart or from lines, or change nothing.

Anyone may. Two buyers may race for the last piece: `ENOUGH` tells the later one what is left, under it stand the
condition of `TAKE` and CHECK inventory_stock_not_negative. A price changed meanwhile makes the line run again. The
answer is kept in the same batch, so the same Idempotency-Key always gets the same order.
"""

from collections.abc import Mapping
from typing import Any

from mangum import Mangum

from api.auth import PUBLIC
from api.buyer_shapes import Address, Customer
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.ids import order_reference
from api.order_shapes import Order
from api.sale import SaleRequest, read_sale
from db.statements import stock
from db.statements.placing import CART_AS_READ, CLOSE_CART, LINES_AS_READ, placing
from db.statements.stock import LOCATION
from domain.carts import CLOSED
from domain.checkout import REFUSES, Sale, decide_sale, order_items
from domain.stock import free_by_variant, releases


class CheckoutRequest(SaleRequest):
    customer: Customer
    shipping_address: Address


@endpoint(
    "POST /checkout",
    status=201,
    permission=PUBLIC,
    idempotency="required",
    headers=("X-Cart-Token",),
    errors=("cart_or_lines", "cart_not_found", *CLOSED, *REFUSES),
)
async def checkout(request: CheckoutRequest, call: Call) -> Answer[Order]:
    rows, holds, cart = await read_sale(request, call)
    sale = decide_sale(
        rows, free_by_variant(holds), coupon_code=request.coupon_code, expected_total=request.expected_total
    )
    order = _order(request, sale, call)
    text, now, actor = dumps(order), call.now, call.actor.id
    take = {line.row["variant_id"]: line.take for line in sale.lines if line.take}
    counted = {line.row["variant_id"]: line.take for line in sale.lines if line.row["policy"] != "CONTINUE"}
    backorders = {line.row["variant_id"]: line.backorder for line in sale.lines if line.backorder}
    move_ids = call.ids("move", len(holds) + len(take))  # of one draw, so that they sort as they happen
    released, freed = releases(holds, move_ids[: len(holds)])
    held = free_by_variant([hold for hold in holds if hold["own"]])
    moves = dumps(
        [
            {"id": move, "variant_id": variant, "quantity": quantity, "held": held.get(variant, 0)}
            for move, (variant, quantity) in zip(move_ids[len(holds) :], take.items(), strict=True)
        ]
    )
    plan = [
        *([CART_AS_READ(cart_id=cart["id"], version=cart["version"])] if cart else []),
        LINES_AS_READ(seen=dumps({line.row["variant_id"]: line.row["seen"] for line in sale.lines})),
        *stock.release(dumps(released), dumps(freed), actor, now),
        *stock.take(dumps(take), dumps(counted), dumps(backorders), now),
        *placing(
            order,
            text,
            user_id=call.actor.user_id,
            api_key_id=call.actor.api_key_id,
            cart_id=cart["id"] if cart else None,
            actor=actor,
            event_id=call.id("event"),
            message_id=call.id("outbox"),
        ),
        stock.SALE_MOVES(moves=moves, location_id=LOCATION, now=now, order_id=order["id"], actor=actor),
        stock.LOW_STOCK(moves=moves, location_id=LOCATION, now=now),
        *([CLOSE_CART(cart_id=cart["id"], now=now)] if cart else []),
    ]
    return await call.commit(plan, Answer(text, status=201, location=f"/orders/{order['id']}", version=1))


def _order(request: CheckoutRequest, sale: Sale, call: Call) -> Mapping[str, Any]:
    """The order as it is answered."""
    ttl = call.settings.unpaid_order_ttl
    given = request.model_dump(include={"customer", "shipping_address", "billing_address"}, exclude_none=True)
    return {
        "id": call.id("order"),
        "reference": order_reference(),
        "status": "PENDING",
        "version": 1,
        "currency": sale.currency,
        "subtotal": sale.subtotal,
        "discount": sale.discount,
        "tax": sale.tax,
        "shipping": sale.shipping,
        "total": sale.total,
        "items": order_items(sale, call.ids("item", len(sale.lines))),
        "customer": given["customer"],
        "shipping_address": given["shipping_address"],
        "billing_address": given.get("billing_address"),
        "notes": request.notes,
        "metadata": request.metadata,
        "placed_at": call.now,
        "expires_at": call.later(ttl) if ttl else None,
        **dict.fromkeys(("paid_at", "fulfilled_at", "shipped_at", "delivered_at", "cancelled_at")),
    }


handler = Mangum(checkout, lifespan="off", text_mime_types=TEXT)

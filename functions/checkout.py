"""POST /checkout: place an order from a cart or from lines, or change nothing.

Anyone may. Two buyers may race for the last piece: `ENOUGH` tells the later one what is left, under it stand the condition of
`TAKE` and CHECK inventory_stock_not_negative. A price changed meanwhile makes the line run again. The answer is kept in the
same batch, so the same Idempotency-Key always gets the same order.
"""

from typing import Annotated, Any

from mangum import Mangum
from pydantic import Field, Strict

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.ids import order_reference
from api.order_shapes import Address, Customer, Order
from api.problems import invalid
from api.shapes import Attributes, Quantity, Shape, id_of
from db.sql import Sql, Statement, guard
from db.statements import checkout as sale_statements
from db.statements import stock
from db.statements.stock import LOCATION
from domain.checkout import LINES_MAX, QUANTITY_MAX, REFUSES, Sale, decide_sale, merged
from domain.refusals import Refusal
from domain.stock import Hold, free_by_variant, releases


class CheckoutLine(Shape):
    variant_id: id_of("variant")  # type: ignore[valid-type]
    quantity: Quantity


class CheckoutRequest(Shape):
    cart_id: id_of("cart") | None = None  # type: ignore[valid-type]
    lines: list[CheckoutLine] | None = Field(default=None, max_length=LINES_MAX, description="Instead of `cart_id`.")
    customer: Customer
    shipping_address: Address
    billing_address: Address | None = Field(default=None, description="If it differs from the shipping address.")
    notes: str | None = Field(default=None, max_length=2_000)
    metadata: Attributes = {}
    coupon_code: str | None = Field(default=None, min_length=1, max_length=40)
    expected_total: Annotated[int, Strict(), Field(ge=0)] | None = Field(
        default=None, description="The total that the buyer saw, minor units; another one is refused."
    )


CART_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM carts WHERE id = :cart_id AND version = :version AND status = 'ACTIVE')",
        "stale",
        "'cart'",
    ),
    "carts.pk",
)
# :seen = {variant: "product's version/price"}: whatever the answer was built from is as it was read.
LINES_AS_READ = Sql(
    guard(
        """NOT EXISTS (SELECT 1 FROM json_each(:seen) l
        LEFT JOIN live_variants v ON v.id = l.key LEFT JOIN live_products p ON p.id = v.product_id
        WHERE p.version || '/' || v.price IS NOT l.value)""",
        "stale",
        "'lines'",
    ),
    "variants.pk",
    "products.pk",
)
ADD_ORDER = Sql("""
    INSERT INTO orders (id, reference, api_key_id, cart_id, status, currency, subtotal, discount, tax, shipping, total,
      customer, customer_phone, shipping_address, billing_address, notes, metadata, placed_at, expires_at, created_at,
      updated_at)
    VALUES (:id, :reference, :api_key_id, :cart_id, 'PENDING', :currency, :subtotal, :discount, :tax, :shipping, :total,
      :customer, :phone, :shipping_address, :billing_address, :notes, :metadata, :now, :expires_at, :now, :now)
""")
ADD_ITEMS = Sql("""
    INSERT INTO order_items (id, order_id, product_id, variant_id, producer_id, title, variant_title, variant, quantity,
      backordered_quantity, currency, unit_price, total, created_at, updated_at)
    SELECT value ->> 'id', :order_id, value ->> 'product_id', value ->> 'variant_id', value ->> 'producer_id',
      value ->> 'title', value ->> 'variant_title', json_object('sku', value ->> 'sku', 'size', value ->> 'size'),
      value ->> 'quantity', value ->> 'backordered_quantity', :currency, value ->> 'unit_price', value ->> 'total',
      :now, :now
    FROM json_each(:items)
""")
ADD_EVENT = Sql("""
    INSERT INTO order_events (id, order_id, to_status, actor, created_at) VALUES (:id, :order_id, 'PENDING', :actor, :now)
""")
ADD_MESSAGE = Sql("""
    INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
    VALUES (:id, 'order.placed', 'order', :order_id, :payload, :now, :now, :now)
""")
CLOSE_CART = Sql(
    "UPDATE carts SET status = 'CHECKED_OUT', version = version + 1, updated_at = :now WHERE id = :cart_id", "carts.pk"
)


@endpoint(
    "POST /checkout",
    status=201,
    permission=PUBLIC,
    idempotency="required",
    headers=("X-Cart-Token",),
    errors=("cart_or_lines", "cart_not_found", "cart_not_active", "cart_expired", *REFUSES),
)
async def checkout(request: CheckoutRequest, call: Call) -> Answer[Order]:
    rows, holds, cart = await _read(request, call)
    sale = decide_sale(
        rows, free_by_variant(holds), coupon_code=request.coupon_code, expected_total=request.expected_total
    )
    order, items = _order(request, sale, call)
    order_id, now, actor = order["id"], call.now, call.actor.id
    released, freed = releases(holds, call.ids("move", len(holds)))
    take = {line.row["variant_id"]: line.take for line in sale.lines if line.take}
    backorders = {line.row["variant_id"]: line.backorder for line in sale.lines if line.backorder}
    moves = [
        {"id": move, "variant_id": variant, "quantity": quantity}
        for move, (variant, quantity) in zip(call.ids("move", len(take)), take.items(), strict=True)
    ]
    taking = {"take": dumps(take), "location_id": LOCATION}
    moving = {"moves": dumps(moves), "location_id": LOCATION, "now": now}
    plan: list[Statement] = [
        *([CART_AS_READ(cart_id=cart["id"], version=cart["version"])] if cart else []),
        LINES_AS_READ(seen=dumps({line.row["variant_id"]: line.row["seen"] for line in sale.lines})),
        *stock.release(dumps(released), dumps(freed), actor, now),
        stock.ENOUGH(**taking),
        stock.TAKE(**taking, now=now),
        stock.TAKEN(take=taking["take"]),
    ]
    if backorders:
        late = {"backorders": dumps(backorders), "location_id": LOCATION}
        plan += [stock.NOTHING_LEFT(**late), stock.BACKORDER(**late, now=now)]
    plan += [
        _add_order(request, order, cart, call),
        ADD_ITEMS(items=dumps(items), order_id=order_id, currency=sale.currency, now=now),
        stock.SALE_MOVES(**moving, order_id=order_id, actor=actor),
        stock.LOW_STOCK(**moving),
        ADD_EVENT(id=call.id("event"), order_id=order_id, actor=actor, now=now),
        ADD_MESSAGE(id=call.id("outbox"), order_id=order_id, payload=dumps({"order_id": order_id}), now=now),
        *([CLOSE_CART(cart_id=cart["id"], now=now)] if cart else []),
    ]
    return await call.commit(plan, Answer(dumps(order), status=201, location=f"/orders/{order_id}", version=1))


async def _read(request: CheckoutRequest, call: Call) -> tuple[list[dict[str, Any]], list[Hold], dict[str, Any] | None]:
    """Priced lines, holds that count as free, and the cart if there is one. Raises Refusal."""
    if (request.cart_id is None) == (request.lines is None):
        await call.read()
        raise Refusal("cart_or_lines")
    free = {"location_id": LOCATION, "now": call.now, "cart_id": request.cart_id}
    if request.cart_id is None:
        wanted = merged((line.variant_id, line.quantity) for line in request.lines or [])
        for index, line in enumerate(request.lines or []):
            if wanted[line.variant_id] > QUANTITY_MAX:
                await call.read()
                raise invalid(f"/lines/{index}/quantity", "less_than_equal", le=QUANTITY_MAX)
        lines = dumps(wanted)
        rows, holds = await call.read(
            sale_statements.PRICED_LINES(lines=lines, location_id=LOCATION), stock.FREE_HOLDS(variants=lines, **free)
        )
        return rows, holds, None
    carts, rows, holds = await call.read(
        sale_statements.CART_OF_CALLER(
            cart_id=request.cart_id, token_hash=call.cart_token_hash, credential=call.asked.credential
        ),
        sale_statements.PRICED_CART(cart_id=request.cart_id, location_id=LOCATION),
        stock.FREE_HOLDS_OF_CART(**free),
    )
    if not carts:
        raise Refusal("cart_not_found")
    if carts[0]["status"] != "ACTIVE":
        raise Refusal("cart_not_active")
    if carts[0]["expires_at"] <= call.now:
        raise Refusal("cart_expired")
    return rows, holds, carts[0]


def _order(request: CheckoutRequest, sale: Sale, call: Call) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The order as it is answered, and its items as they are stored."""
    ttl = call.settings.unpaid_order_ttl
    items = []
    for item_id, line in zip(call.ids("item", len(sale.lines)), sale.lines, strict=True):
        row = line.row
        items.append(
            {
                "id": item_id,
                "product_id": row["product_id"],
                "variant_id": row["variant_id"],
                "producer_id": row["producer_id"],
                "title": row["title"],
                "variant_title": row["variant_title"],
                "status": "PENDING",
                "quantity": line.quantity,
                "backordered_quantity": line.backorder,
                "unit_price": row["price"],
                "total": line.total,
            }
        )
    order = {
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
        "items": items,
        "customer": request.customer.model_dump(exclude_none=True),
        "shipping_address": request.shipping_address.model_dump(exclude_none=True),
        "billing_address": request.billing_address.model_dump(exclude_none=True) if request.billing_address else None,
        "notes": request.notes,
        "metadata": request.metadata,
        "placed_at": call.now,
        "expires_at": call.later(ttl) if ttl else None,
        **dict.fromkeys(("paid_at", "fulfilled_at", "shipped_at", "delivered_at", "cancelled_at")),
    }
    stored = [
        {**item, "sku": line.row["sku"], "size": line.row["size"]} for item, line in zip(items, sale.lines, strict=True)
    ]
    return order, stored


def _add_order(request: CheckoutRequest, order: dict[str, Any], cart: dict[str, Any] | None, call: Call) -> Statement:
    billing = order["billing_address"]
    amounts = {name: order[name] for name in ("subtotal", "discount", "tax", "shipping", "total")}
    return ADD_ORDER(
        id=order["id"],
        reference=order["reference"],
        api_key_id=call.actor.id if call.actor.kind == "api_key" else None,
        cart_id=cart["id"] if cart else None,
        currency=order["currency"],
        **amounts,
        customer=dumps(order["customer"]),
        phone=request.customer.phone,
        shipping_address=dumps(order["shipping_address"]),
        billing_address=dumps(billing) if billing else None,
        notes=request.notes,
        metadata=dumps(request.metadata),
        now=order["placed_at"],
        expires_at=order["expires_at"],
    )


handler = Mangum(checkout, lifespan="off", text_mime_types=TEXT)

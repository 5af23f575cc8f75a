"""POST /checkout/quote: what the same checkout would cost and take, or why it would be refused. Changes nothing.

Anyone may; the body is checkout's, without need of a customer or an address. Nothing is held: prices and stock are
those of this moment, and the checkout decides again. Its `expected_total` is how a buyer insists on the total quoted
here.
"""

from mangum import Mangum
from pydantic import Field

from api.auth import PUBLIC
from api.buyer_shapes import Address, Customer
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.sale import SaleRequest, read_sale
from api.shapes import Currency, Shape, Total
from domain.carts import CLOSED
from domain.checkout import REFUSES, decide_sale
from domain.stock import free_by_variant


class QuoteCheckoutRequest(SaleRequest):
    customer: Customer | None = None
    shipping_address: Address | None = None


class QuotedItem(Shape):
    variant_id: str
    title: str
    variant_title: str
    quantity: int = Field(ge=1)
    unit_price: Total
    total: Total
    available: int = Field(ge=0, description="Pieces that this checkout could take now.")
    backordered_quantity: int = Field(ge=0, description="Pieces that would come later.")


class Quote(Shape):
    currency: Currency
    subtotal: Total
    discount: Total
    tax: Total
    shipping: Total
    total: Total = Field(description="subtotal − discount + tax + shipping.")
    items: list[QuotedItem]


@endpoint(
    "POST /checkout/quote",
    permission=PUBLIC,
    headers=("X-Cart-Token",),
    errors=("cart_or_lines", "cart_not_found", *CLOSED, *REFUSES),
)
async def quote_checkout(request: QuoteCheckoutRequest, call: Call) -> Answer[Quote]:
    rows, holds, _ = await read_sale(request, call)
    free = free_by_variant(holds)
    sale = decide_sale(rows, free, coupon_code=request.coupon_code, expected_total=request.expected_total)
    items = [
        {
            "variant_id": line.row["variant_id"],
            "title": line.row["title"],
            "variant_title": line.row["variant_title"],
            "quantity": line.quantity,
            "unit_price": line.row["price"],
            "total": line.total,
            "available": (line.row["stock"] or 0) + free.get(line.row["variant_id"], 0),
            "backordered_quantity": line.backorder,
        }
        for line in sale.lines
    ]
    amounts = {name: getattr(sale, name) for name in ("currency", "subtotal", "discount", "tax", "shipping", "total")}
    return Answer({**amounts, "items": items})


handler = Mangum(quote_checkout, lifespan="off", text_mime_types=TEXT)

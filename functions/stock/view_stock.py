"""GET /variants/{variant}/stock: what can be sold of a variant, and what is held. Changes nothing.

Staff with `stock:read`.
"""

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape, id_of
from api.stock_shapes import Stock
from db.sql import Sql
from db.statements.stock import LOCATION
from db.statements.stock_reads import EXPIRED_PIECES, STOCK_JSON
from domain.refusals import Refusal


class ViewStockRequest(Shape):
    variant: id_of("variant")  # type: ignore[valid-type]


VIEW = Sql(
    f"""
    SELECT {STOCK_JSON} AS item FROM (
      SELECT i.*, p.inventory_policy AS policy, {EXPIRED_PIECES} AS expired
      FROM live_variants v CROSS JOIN live_products p CROSS JOIN inventory i
      WHERE v.id = :variant AND p.id = v.product_id AND i.variant_id = v.id AND i.location_id = :location_id) s
    """,
    "variants.pk",
    "products.pk",
    "inventory.pk",
    "reservations_held",
)


@endpoint("GET /variants/{variant}/stock", permission="stock:read", errors=("not_found",))
async def view_stock(request: ViewStockRequest, call: Call) -> Answer[Stock]:
    [rows] = await call.read(VIEW(variant=request.variant, location_id=LOCATION, now=call.now))
    if not rows:
        raise Refusal("not_found")
    return Answer(rows[0]["item"])


handler = Mangum(view_stock, lifespan="off", text_mime_types=TEXT)

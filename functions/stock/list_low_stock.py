"""GET /stock/low: the variants whose available stock is at or below their threshold, by id. Changes nothing.

Staff with `stock:read`. The list walks the index of the low ones; variants that only expired holds lift above the
threshold are left out of it.
"""

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest
from api.stock_shapes import Stock
from db.sql import Sql
from db.statements.stock import LOCATION
from db.statements.stock_reads import EXPIRED_PIECES, STOCK_JSON


class ListLowStockRequest(PageRequest):
    """Nothing but the page is asked."""


LOW = Sql(
    f"""
    SELECT {STOCK_JSON} AS item, s.variant_id FROM (
      SELECT i.*, p.inventory_policy AS policy, {EXPIRED_PIECES} AS expired
      FROM inventory i INDEXED BY inventory_low CROSS JOIN live_variants v CROSS JOIN live_products p
      WHERE i.stock <= i.low_stock_threshold AND i.variant_id > :after AND +i.location_id = :location_id
        AND v.id = i.variant_id AND p.id = v.product_id
      ORDER BY i.variant_id) s
    WHERE s.stock + s.expired <= s.low_stock_threshold ORDER BY s.variant_id LIMIT :rows
    """,
    "inventory_low",
    "variants.pk",
    "products.pk",
    "reservations_held",
)


@endpoint("GET /stock/low", permission="stock:read")
async def list_low_stock(request: ListLowStockRequest, call: Call) -> Answer[Page[Stock]]:
    [after] = call.after(request, "variant") or [""]
    [rows] = await call.read(LOW(after=after, location_id=LOCATION, now=call.now, rows=request.limit + 1))
    return call.page(request, rows, ("variant_id",), "variant")


handler = Mangum(list_low_stock, lifespan="off", text_mime_types=TEXT)

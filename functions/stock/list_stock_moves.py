"""GET /stock/moves: every change of stock, newest first, by variant, order and reason. Changes nothing.

Staff with `stock:read`. Newest is the order of the ids, of an order's moves the order in which they were written.
"""

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest, id_of
from api.stock_shapes import Move, Reason
from db.sql import Sql
from db.statements.stock import LOCATION
from db.statements.stock_reads import MOVE_JSON

AFTER_ALL = "~"
POSITION_MAX = 2**63 - 1


class ListStockMovesRequest(PageRequest):
    variant: id_of("variant") | None = None  # type: ignore[valid-type]
    order: id_of("order") | None = None  # type: ignore[valid-type]
    reason: Reason | None = None


def _list(condition: str, key: str, index: str) -> Sql:
    """The page before :before, newest first: walks an index whose order is `key` until the page is full."""
    return Sql(
        f"""
        SELECT {MOVE_JSON} AS item, {key} AS position FROM stock_moves m
        WHERE {condition} {key} < :before AND (:reason IS NULL OR m.reason = :reason)
        ORDER BY {key} DESC LIMIT :rows
        """,
        index,
    )


MOVES = _list("", "m.id", "stock_moves.pk")
MOVES_OF_VARIANT = _list(
    "m.variant_id = :variant_id AND m.location_id = :location_id AND", "m.id", "idx_stock_moves_product"
)
MOVES_OF_ORDER = _list(
    "m.order_id = :order_id AND (:variant_id IS NULL OR +m.variant_id = :variant_id) AND",
    "m.rowid",
    "idx_stock_moves_order",
)


@endpoint("GET /stock/moves", permission="stock:read")
async def list_stock_moves(request: ListStockMovesRequest, call: Call) -> Answer[Page[Move]]:
    [before] = call.after(request, "newest") or [AFTER_ALL if request.order is None else POSITION_MAX]
    window = {"before": before, "reason": request.reason, "rows": request.limit + 1}
    if request.order is not None:
        statement = MOVES_OF_ORDER(order_id=request.order, variant_id=request.variant, **window)
    elif request.variant is not None:
        statement = MOVES_OF_VARIANT(variant_id=request.variant, location_id=LOCATION, **window)
    else:
        statement = MOVES(**window)
    [rows] = await call.read(statement)
    return call.page(request, rows, ("position",), "newest")


handler = Mangum(list_stock_moves, lifespan="off", text_mime_types=TEXT)

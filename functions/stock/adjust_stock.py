"""POST /stock/adjustments: change a variant's stock by hand and leave the move that says so, or change nothing.

Staff with `stock:adjust`. Holds whose time is over are released first; a receipt then pays what orders are owed, the
oldest first, by a sale for each. The answer is told by the batch itself, so others who sell the same pieces make nobody
run again, but for a receipt that pays what is owed: it holds that nothing of that has changed.
"""

from typing import Annotated, Any, Final, Literal

from mangum import Mangum
from pydantic import AfterValidator, Field, Strict
from pydantic_core import PydanticCustomError

from api.call import Answer, Call, Told, dumps
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.shapes import Shape, id_of
from api.stock_shapes import Move
from db.sql import Sql, guard
from db.statements import backorders, stock
from db.statements.stock import LOCATION
from db.statements.stock_reads import MOVE_JSON, STOCK_OF_VARIANT
from domain.backorders import fills, given_by
from domain.refusals import Refusal
from domain.stock import free_by_variant, releases

DELTA_MAX: Final = 1_000_000


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("zero", "not zero")
    return delta


class AdjustStockRequest(Shape):
    variant_id: id_of("variant")  # type: ignore[valid-type]
    delta: Annotated[int, Strict(), AfterValidator(_not_zero)] = Field(
        ge=-DELTA_MAX, le=DELTA_MAX, description="Pieces to add, or to take away if negative; not 0.", examples=[12]
    )
    reason: Literal["adjustment", "receipt", "return"]
    note: str | None = Field(default=None, max_length=2_000)


# For a receipt: nothing more is owed than was read; if something is (else :stock is null), the stock is as read too.
OWED_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM inventory WHERE variant_id = :variant_id AND location_id = :location_id "
        "AND backordered = :backordered AND (:stock IS NULL OR stock = :stock))",
        "stale",
        "'backordered'",
    ),
    "inventory.pk",
)
CHANGE = Sql(
    """
    UPDATE inventory SET stock = stock + :delta, updated_at = :now
    WHERE variant_id = :variant_id AND location_id = :location_id
    """,
    "inventory.pk",
)
# :now is in every question for an answer; a move needs none.
MOVE = telling(
    f"SELECT {MOVE_JSON} AS answer, NULL AS version FROM stock_moves m WHERE m.id = :id AND m.created_at <= :now",
    "stock_moves.pk",
)


@endpoint(
    "POST /stock/adjustments",
    status=201,
    permission="stock:adjust",
    idempotency="optional",
    errors=("unknown_variant", "insufficient_stock"),
)
async def adjust_stock(request: AdjustStockRequest, call: Call) -> Answer[Move]:
    variant_id, delta, now = request.variant_id, request.delta, call.now
    here = {"variant_id": variant_id, "location_id": LOCATION}
    paying = backorders.FILLS_MAX if request.reason == "receipt" and delta > 0 else 0
    found, holds, owed = await call.read(
        STOCK_OF_VARIANT(**here),
        stock.FREE_HOLDS(variants=dumps({variant_id: 0}), location_id=LOCATION, now=now, cart_id=None),
        backorders.OWED(variant_id=variant_id, rows=paying),
    )
    if not found:
        raise Refusal("unknown_variant", variant_id=variant_id)
    actor = call.actor.id
    available = found[0]["stock"] + free_by_variant(holds).get(variant_id, 0)
    given = fills(owed, available + delta)
    ids = call.ids("move", len(holds) + 1 + len(given))
    released, freed = releases(holds, ids[: len(holds)])
    move: dict[str, Any] = {"id": ids[len(holds)], "delta": delta, "reason": request.reason, "actor": actor}
    move["note"] = request.note
    paid = [{**one, "move_id": move_id} for one, move_id in zip(given, ids[len(holds) + 1 :], strict=True)]
    taken = {"id": move["id"], "variant_id": variant_id, "quantity": given_by(given) - delta}
    plan = [*stock.release(dumps(released), dumps(freed), actor, now)]
    if delta < 0:
        plan.append(stock.ENOUGH(take=dumps({variant_id: -delta}), location_id=LOCATION))
    elif paying:
        seen = found[0]["stock"] if given else None
        plan.insert(0, OWED_AS_READ(**here, backordered=found[0]["backordered"], stock=seen))
    plan += [
        CHANGE(**here, delta=delta, now=now),
        stock.ADD_MOVE(**here, **move, now=now),
        *backorders.fill(variant_id, dumps(paid), given_by(given), actor, now),
        stock.LOW_STOCK(moves=dumps([taken]), location_id=LOCATION, now=now),
    ]
    told = {"move_id": move["id"], "delta": delta, "reason": request.reason}
    call.audit("stock:adjust", "variants", variant_id, after=told)
    answer = Told(MOVE, {"id": move["id"]})
    return await call.commit(plan, Answer(answer, status=201, location=f"/stock/moves?variant={variant_id}"))


handler = Mangum(adjust_stock, lifespan="off", text_mime_types=TEXT)

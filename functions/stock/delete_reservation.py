"""DELETE /stock/reservations/{reservation}: release what is held, exactly once, or change nothing.

Staff with `stock:reserve`. Of twenty who release one hold, or one who releases it and a checkout that consumes it,
the first finds it held; the others are told that it has ended. A hold whose time is over has ended, whether or not
anybody has put it back.
"""

from mangum import Mangum

from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.shapes import Shape, id_of
from db.sql import Sql
from db.statements import stock
from domain.refusals import Refusal
from domain.stock import releases


class DeleteReservationRequest(Shape):
    reservation: id_of("reservation")  # type: ignore[valid-type]


RESERVATION = Sql(
    """
    SELECT id, variant_id, quantity, expires_at,
      CASE WHEN status = 'HELD' AND expires_at <= :now THEN 'EXPIRED' ELSE status END AS status
    FROM reservations WHERE id = :id
    """,
    "reservations.pk",
)


@endpoint(
    "DELETE /stock/reservations/{reservation}",
    status=204,
    permission="stock:reserve",
    errors=("not_found", "reservation_ended"),
)
async def delete_reservation(request: DeleteReservationRequest, call: Call) -> Answer[None]:
    [found] = await call.read(RESERVATION(id=request.reservation, now=call.now))
    if not found:
        raise Refusal("not_found")
    if found[0]["status"] != "HELD":
        raise Refusal("reservation_ended", reservation_status=found[0]["status"])
    released, freed = releases([{**found[0], "status": "RELEASED"}], call.ids("move", 1))
    plan = stock.release(dumps(released), dumps(freed), call.actor.id, call.now)
    call.audit("stock:reserve", "reservations", request.reservation, before=found[0], after={"status": "RELEASED"})
    return await call.commit(plan, Answer(None, status=204))


handler = Mangum(delete_reservation, lifespan="off", text_mime_types=TEXT)

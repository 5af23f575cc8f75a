"""Whose an order is: what an endpoint begins with that a guest may ask with the phone number it was placed with.

A wrong phone is a guess. Guesses are counted by what was asked for, whether there is such an order or not, so that
neither the answers nor the limit tell one from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.call import Call
from api.problems import Problem
from api.rate_limit import Limit
from db.helper import Row
from db.statements import orders
from domain.orders import is_buyers, reference_of
from domain.refusals import Refusal

GUESSES: Final = Limit("guest", quota=10, seconds=3600)


async def known_order(order: str, phone: str | None, call: Call, *, staff: Sequence[str]) -> Row:
    """The order (a row of `orders.FIND`) for one of `staff`'s permissions, whoever placed it, or the right phone.

    A right phone, too, is good only while the limit is not used up, and wrong ones may have come since the read: the
    call holds a guard, so that whoever is told anything was among the first. Refuses `not_found`, and `rate_limited`
    whoever has guessed too often.
    """
    reference = reference_of(order)
    window = GUESSES.window(reference or order, call.milliseconds) if phone is not None else None
    asked = [orders.FIND(order=order, reference=reference)]
    rows, *counted = await call.read(*asked, *([window.counted()] if window else []))
    found = rows[0] if rows else None
    is_staff = any(call.actor.may(permission) for permission in staff)
    if found and (is_staff or is_buyers(found, call.actor.id, None)):
        return found
    if is_staff or window is None:
        raise Refusal("not_found")
    count = counted[0][0]["count"] if counted[0] else 0
    call.limited(window, count)
    if count >= GUESSES.quota:
        raise Problem("rate_limited", limit=GUESSES.name)
    if found and is_buyers(found, call.actor.id, phone):
        call.hold(window.room())
        return found
    *_, [row] = await call.write(window.counting())
    call.limited(window, row["count"])
    raise Refusal("not_found")

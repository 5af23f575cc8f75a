"""Holds of stock, as staff make and release them through the real handlers."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial

from api.auth import new_key
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from db.helper import connect, insert_many
from proof.asking import Asking, Told, ask
from tests.faults.ground import Shop, patient


def staff_key(shop: Shop) -> str:
    """A key that may hold stock."""
    key, prefix, hashed = new_key()
    moment = milliseconds_now()
    times = {"created_at": stamp(moment), "updated_at": stamp(moment)}
    row = {"id": typeids("apikey", 1, moment)[0], "name": "faults", "prefix": prefix, "hash": hashed}

    async def insert() -> None:
        db = await connect(f"sqlite:///{shop.path}")
        try:
            await insert_many(db, "api_keys", [{**row, "scopes": '["stock:reserve"]', **times}])
        finally:
            await db.close()

    asyncio.run(insert())
    return key


async def hold(key: str, variant: str, quantity: int, seconds: int = 900) -> Told:
    """The answer to a hold for so many seconds, asked for until there is one."""
    from functions.stock.create_reservation import create_reservation

    body = {"variant_id": variant, "quantity": quantity, "expires_in": seconds}
    headers = {"authorization": f"Bearer {key}", "idempotency-key": secrets.token_hex(16)}
    asking = Asking("", "/stock/reservations", body=body, headers=headers)
    return await patient(partial(ask, create_reservation, asking))


async def release(key: str, reservation: str) -> Told:
    from functions.stock.delete_reservation import delete_reservation

    headers = {"authorization": f"Bearer {key}"}
    asking = Asking("", f"/stock/reservations/{reservation}", method="DELETE", headers=headers)
    return await patient(partial(ask, delete_reservation, asking))

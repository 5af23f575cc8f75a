"""Threat 24: steps of an order skipped or gone back. Every pair of statuses by the API, and past it by raw SQL."""

import pytest

from domain.orders import TRANSITIONS
from tests.functions.orders.support import PATHS, brought, step
from tests.shop import Shop

VERBS = {"PAID": "pay", "FULFILLED": "fulfil", "SHIPPED": "ship", "DELIVERED": "deliver", "CANCELLED": "cancel"}


@pytest.mark.parametrize("to", VERBS)
@pytest.mark.parametrize("status", PATHS)
def test_every_pair(shop: Shop, status: str, to: str) -> None:
    order = brought(shop, status)
    token = shop.session(shop.user("staff"))
    sent = {"api_key": None, "token": token, "idempotency_key": "again" if to == "PAID" else None}
    if to in TRANSITIONS[status]:
        assert step(shop, order, VERBS[to], **sent).status in (200, 201)
    else:
        with shop.unchanged():
            reply = step(shop, order, VERBS[to], **sent)
        assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
        assert (reply.body["from"], reply.body["to"]) == (status, to)
        with pytest.raises(Exception, match="illegal_transition") if status != to else pytest.raises(AssertionError):
            shop.execute(f"UPDATE orders SET status = '{to}', {to.lower()}_at = ? WHERE id = ?", shop.now, order["id"])
            raise AssertionError  # the same status again is no step
    shop.checked()


@pytest.mark.parametrize("verb", VERBS.values())
def test_a_buyer_takes_none_but_the_first(shop: Shop, verb: str) -> None:
    token = shop.session(shop.user("customer"))
    order = brought(shop, "PAID", token=token)
    with shop.unchanged():
        reply = step(shop, order, verb, api_key=None, token=token, idempotency_key="again" if verb == "pay" else None)
    assert reply.status == (409 if verb == "cancel" else 403)

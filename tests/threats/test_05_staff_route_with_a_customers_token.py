"""Threat 5, a staff route with a customer's token (10 of 37 patches of Sentry): 403, one body, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from api.auth import EVERYBODYS
from tests.contract.test_matrix import asked
from tests.functions.stock.support import adjust
from tests.shop import Shop, endpoints

STAFF = sorted(
    one.name for one in endpoints().values() if one.module.startswith("functions.") and one.permission not in EVERYBODYS
)


@pytest.mark.parametrize("name", STAFF)
def test_a_customer_is_refused(shop: Shop, name: str) -> None:
    token = shop.session(shop.user("customer"), stepped_up=True)
    key = shop.api_key()
    with shop.unchanged():
        replies = [asked(endpoints()[name], credential) for credential in (token, key)]
    for reply in replies:
        assert (reply.status, reply.body["code"]) == (403, "forbidden")
        assert set(reply.body) == {"type", "title", "status", "detail", "instance", "code"}


def test_a_refusal_comes_before_whatever_is_wrong_or_right_with_the_request(shop: Shop) -> None:
    """What is there and what is not, a good body and a bad one: all alike."""
    variant, token = shop.variant(), shop.session(shop.user("customer"))
    adjust(shop, variant, 1)
    bodies: list[Any] = [
        {"variant_id": variant, "delta": 5, "reason": "receipt"},
        {"variant_id": "variant_00000000000000000000000000", "delta": 5, "reason": "receipt"},
        {"nonsense": True},
    ]
    with shop.unchanged():
        told = {shop.post("/stock/adjustments", body, token=token).text for body in bodies}
    assert len(told) == 1 and '"code":"forbidden"' in told.pop().replace('": "', '":"')


def test_rights_that_were_taken_count_at_once(shop: Shop) -> None:
    staff, variant = shop.user("staff"), shop.variant()
    token = shop.session(staff)
    body = {"variant_id": variant, "delta": 1, "reason": "receipt"}
    assert shop.post("/stock/adjustments", body, token=token).status == 201
    shop.execute("DELETE FROM user_roles WHERE user_id = ?", staff)
    with shop.unchanged():
        assert shop.post("/stock/adjustments", body, token=token).status == 403

"""Threat 1: reading another's order. It is not there, in the very bytes of an order that never was."""

from typing import Any

import pytest

from tests.functions.orders.support import alike
from tests.shop import Shop

UNKNOWN = "order_01kaktq2m8e8q8k3v9m1c4x7zd"
NO_REFERENCE = "ZZZZ-ZZZZ"


@pytest.fixture
def order(shop: Shop) -> Any:
    """An order of A's, who sees it."""
    token = shop.session(shop.user("customer"))
    placed = shop.order({shop.variant(): 1}, token=token)
    assert shop.get(f"/orders/{placed['id']}", token=token).body == placed
    return placed


@pytest.mark.parametrize("who", ["another", "nobody", "key"])
@pytest.mark.parametrize("verb", ["view", "cancel"])
def test_it_is_not_there(shop: Shop, order: Any, who: str, verb: str) -> None:
    sent: dict[str, Any] = {
        "another": {"token": shop.session(shop.user("customer"))}, "nobody": {}, "key": {"api_key": shop.api_key()},
    }[who]  # fmt: skip
    with shop.unchanged():
        for known, unknown in ((order["id"], UNKNOWN), (order["reference"], NO_REFERENCE)):
            replies = [
                shop.get(f"/orders/{key}", **sent)
                if verb == "view"
                else shop.post(f"/orders/{key}/cancel", if_match=1, **sent)
                for key in (known, unknown)
            ]
            assert [reply.status for reply in replies] == [404, 404]
            assert replies[0].text.replace(known, unknown) == replies[1].text
            assert alike(replies[0]) == alike(replies[1])
            assert "Eleni" not in replies[0].text


def test_it_is_in_no_list_but_the_owners(shop: Shop, order: Any) -> None:
    token = shop.session(shop.user("customer"))
    with shop.unchanged():
        for query in ("", "?phone=%2B306912345678", "?status=PENDING", "?sort=oldest"):
            assert shop.get(f"/orders{query}", token=token).body["items"] == []


def test_a_person_taken_from_the_shop_sees_nothing(shop: Shop) -> None:
    user = shop.user("customer")
    token = shop.session(user)
    placed = shop.order({shop.variant(): 1}, token=token)
    shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
    assert shop.get(f"/orders/{placed['id']}", token=token).status == 401

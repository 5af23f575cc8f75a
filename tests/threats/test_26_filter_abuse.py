"""Threat 26: filters that are none, pages without an end, cursors of others. For every list there is."""

import pytest

from api.shapes import PageRequest
from tests.shop import Shop, endpoints

LISTS = sorted(one.path for one in endpoints().values() if one.method == "GET" and issubclass(one.request, PageRequest))
NAMES = {"product_id": "product_01kaktq2m8e8q8k3v9m1c4x7zd"}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=1000000000", "/limit"),
        ("limit=0", "/limit"),
        ("limit=-1", "/limit"),
        ("no_such_filter=1", "/no_such_filter"),
        ("user_id=user_1", "/user_id"),
        ("cursor=forged", "/cursor"),
        ("limit=1&limit=1", "/limit"),
    ],
)
def test_refused_and_nothing_read(shop: Shop, path: str, query: str, pointer: str) -> None:
    person = shop.session(shop.user("admin"))
    with shop.unchanged():
        reply = shop.get(f"{path}?{query}", token=person)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert pointer in [error["pointer"] for error in reply.body["errors"]]


def test_a_cursor_of_anothers(shop: Shop) -> None:
    mine, other = [shop.session(shop.user("customer")) for _ in range(2)]
    for _ in range(2):
        shop.order({shop.variant(): 1}, token=mine)
    cursor = shop.get("/orders?limit=1", token=mine).body["next_cursor"]
    for token in (other, shop.session(shop.user("admin"))):
        reply = shop.get(f"/orders?limit=1&cursor={cursor}", token=token)
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")
    assert len(shop.get(f"/orders?limit=1&cursor={cursor}", token=mine).body["items"]) == 1


def test_the_lists_are_found() -> None:
    assert {"/orders", "/products", "/me/addresses", "/me/cards"} <= set(LISTS)

"""GET /users."""

from __future__ import annotations

import pytest

from tests.functions.users.support import code
from tests.shop import Shop


def listed(shop: Shop, query: str = "") -> list[str]:
    reply = shop.get(f"/users{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    return [one["id"] for one in reply.body["items"]]


def test_filters(shop: Shop) -> None:
    customer = shop.user("customer", email="Eleni@example.com")
    staff = shop.user("staff", "customer")
    suspended = shop.user("staff", status="SUSPENDED")
    gone = shop.user("staff")
    shop.execute("UPDATE users SET status = 'DELETED', deleted_at = ? WHERE id = ?", shop.now, gone)
    assert listed(shop) == [suspended, staff, customer]
    assert listed(shop, "?email=eleni@EXAMPLE.com") == [customer]
    assert listed(shop, "?email=eleni") == []
    assert listed(shop, "?status=SUSPENDED") == [suspended]
    assert listed(shop, "?role=staff") == [suspended, staff]
    assert listed(shop, "?role=staff&status=ACTIVE") == [staff]
    assert listed(shop, "?email=eleni@example.com&role=customer&status=ACTIVE") == [customer]
    assert listed(shop, "?email=eleni@example.com&role=staff") == []
    assert listed(shop, "?email=eleni@example.com&status=SUSPENDED") == []
    assert listed(shop, "?role=nothing") == []


@pytest.mark.parametrize("filters", ["", "role=staff&", "status=ACTIVE&"])
def test_pages(shop: Shop, filters: str) -> None:
    users = [shop.user("staff") for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = shop.get(f"/users?{filters}limit=2{cursor and f'&cursor={cursor}'}", api_key=shop.admin).body
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == sorted(users, reverse=True)  # ids of one millisecond are in no order of their making


@pytest.mark.parametrize("query", ["status=DELETED", "limit=0", "cursor=x", "name=x"])
def test_refuses_a_wrong_question(shop: Shop, query: str) -> None:
    assert code(shop.get(f"/users?{query}", api_key=shop.admin)) == (422, "invalid")


def test_needs_the_permission(shop: Shop) -> None:
    assert code(shop.get("/users", token=shop.session(shop.user("staff")))) == (403, "forbidden")

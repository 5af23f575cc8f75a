"""GET /roles."""

import pytest

from tests.functions.users.support import code
from tests.shop import Shop


def test_tells_the_roles_of_every_shop(shop: Shop) -> None:
    with shop.unchanged():
        items = shop.get("/roles", api_key=shop.admin).body["items"]
    assert [one["name"] for one in items] == ["admin", "customer", "staff"]
    assert [one["permissions"] for one in items[:2]] == [["*"], []]
    assert "orders:fulfil" in items[2]["permissions"] and "roles:assign" not in items[2]["permissions"]
    page = shop.get("/roles?limit=2", api_key=shop.admin).body
    rest = shop.get(f"/roles?limit=2&cursor={page['next_cursor']}", api_key=shop.admin).body
    assert page["items"] + rest["items"] == items


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "name=x"])
def test_refuses_a_wrong_question(shop: Shop, query: str) -> None:
    assert code(shop.get(f"/roles?{query}", api_key=shop.admin)) == (422, "invalid")


def test_needs_the_permission(shop: Shop) -> None:
    assert code(shop.get("/roles", token=shop.session(shop.user("staff")))) == (403, "forbidden")

"""GET /permissions."""

from api.auth import EVERYBODYS
from cli import derive
from tests.functions.users.support import code
from tests.shop import Shop


def test_tells_what_can_be_allowed(shop: Shop) -> None:
    with shop.unchanged():
        items = shop.get("/permissions?limit=100", api_key=shop.admin).body["items"]
    keys = [one["key"] for one in items]
    assert keys == sorted(keys) and keys[0] == "*" and all(one["description"] for one in items)
    assert {one.permission for one in derive.endpoints()} - {*EVERYBODYS} <= {*keys}
    page = shop.get("/permissions?limit=5", api_key=shop.admin).body
    rest = shop.get(f"/permissions?limit=100&cursor={page['next_cursor']}", api_key=shop.admin).body
    assert page["items"] + rest["items"] == items


def test_needs_the_permission(shop: Shop) -> None:
    assert code(shop.get("/permissions", token=shop.session(shop.user("staff")))) == (403, "forbidden")
    assert code(shop.get("/permissions?key=x", api_key=shop.admin)) == (422, "invalid")

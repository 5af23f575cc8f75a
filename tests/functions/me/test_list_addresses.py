"""GET /me/addresses. What both kinds share stands in test_belongings.py."""

from tests.functions.me.belongings import add
from tests.shop import Shop


def test_a_cursor_of_another_person_is_refused(shop: Shop) -> None:
    token, other = shop.session(shop.user("customer")), shop.session(shop.user("customer"))
    for _ in range(2):
        add(shop, "addresses", token)
    cursor = shop.get("/me/addresses?limit=1", token=token).body["next_cursor"]
    reply = shop.get(f"/me/addresses?limit=1&cursor={cursor}", token=other)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")

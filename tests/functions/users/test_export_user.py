"""GET /users/{user}/export."""

from tests.functions.me.personal import planted
from tests.shop import Shop


def test_shows_what_the_person_sees(shop: Shop) -> None:
    user, _ = planted(shop)
    own = shop.get("/me/export", token=shop.session(user)).body
    key = shop.api_key("users:export")
    with shop.unchanged():
        assert shop.get(f"/users/{user}/export", api_key=key).body == own
        assert shop.get(f"/users/{user}/export", api_key=shop.admin).body == own
        assert shop.get(f"/users/{user}/export").status == 401
    staff = shop.session(shop.user("staff"))
    assert shop.get(f"/users/{user}/export", token=staff).status == 403


def test_refuses_not_found(shop: Shop) -> None:
    user = shop.user("customer")
    shop.delete(f"/users/{user}", api_key=shop.admin)
    with shop.unchanged():
        for gone in (user, "user_01kaktq2m8e8q8k3v9m1c4x7zd"):
            reply = shop.get(f"/users/{gone}/export", api_key=shop.admin)
            assert (reply.status, reply.body["code"]) == (404, "not_found")

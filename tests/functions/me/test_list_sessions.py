"""GET /me/sessions: one's own, those that are not over."""

from tests.functions.auth.support import EMAIL, PASSWORD, logged_in
from tests.shop import Shop


def test_shows_where_one_is_logged_in(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    shop.post("/auth/log-in", {"email": EMAIL, "password": PASSWORD}, headers={"user-agent": "Firefox"})
    shop.clock(1)
    token = logged_in(shop)["access_token"]
    shop.session(shop.user())
    with shop.unchanged():
        reply = shop.get("/me/sessions", token=token)
    assert reply.status == 200
    found = [(one["user_agent"], one["ip_address"], one["current"]) for one in reply.body["items"]]
    assert found == [(None, "192.0.2.1", True), ("Firefox", "192.0.2.1", False)]
    assert reply.body["next_cursor"] is None
    assert "hash" not in reply.text


def test_leaves_out_what_is_over(shop: Shop) -> None:
    user = shop.user()
    for column in ("revoked_at", "expires_at"):
        shop.session(user)
        shop.execute(
            "UPDATE user_sessions SET created_at = '2020-01-01T00:00:00.000Z',"
            f" {column} = '2020-01-02T00:00:00.000Z' WHERE id = (SELECT max(id) FROM user_sessions)"
        )
    shop.clock(1)
    reply = shop.get("/me/sessions", token=shop.session(user))
    assert [one["current"] for one in reply.body["items"]] == [True]


def test_pages(shop: Shop) -> None:
    user = shop.user()
    tokens = [shop.session(user) for _ in range(5)]
    first = shop.get("/me/sessions?limit=3", token=tokens[0])
    second = shop.get(f"/me/sessions?limit=3&cursor={first.body['next_cursor']}", token=tokens[0])
    ids = [one["id"] for one in [*first.body["items"], *second.body["items"]]]
    assert ids == sorted((one for (one,) in shop.rows("SELECT id FROM user_sessions")), reverse=True)
    assert second.body["next_cursor"] is None
    foreign = shop.session(shop.user())
    assert shop.get(f"/me/sessions?cursor={first.body['next_cursor']}", token=foreign).body["code"] == "invalid"


def test_refuses_who_is_not_logged_in(shop: Shop) -> None:
    assert shop.get("/me/sessions").body["code"] == "unauthenticated"
    assert shop.get("/me/sessions", api_key=shop.admin).body["code"] == "forbidden"
    assert shop.get("/me/sessions?user=1", token=shop.session(shop.user())).body["code"] == "invalid"

"""DELETE /me/sessions/{session}: one's own, and nobody else's."""

from tests.functions.auth.support import EMAIL, PASSWORD, TRAIL, events, logged_in, refresh
from tests.shop import Shop

UNKNOWN = "session_01kaktq2m8e8q8k3v9m1c4x7zd"


def test_ends_it(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    here, there = logged_in(shop), logged_in(shop)
    [there_id] = [
        one["id"] for one in shop.get("/me/sessions", token=there["access_token"]).body["items"] if one["current"]
    ]
    with shop.unchanged("user_sessions", *TRAIL):
        reply = shop.delete(f"/me/sessions/{there_id}", token=here["access_token"])
    assert (reply.status, reply.text) == (204, "")
    assert shop.get("/me/sessions", token=there["access_token"]).status == 401
    assert refresh(shop, there["refresh_token"]).status == 401
    assert shop.get("/me/sessions", token=here["access_token"]).status == 200
    assert events(shop)[2:] == [("session_ended", user)]
    with shop.unchanged():
        assert shop.delete(f"/me/sessions/{there_id}", token=here["access_token"]).status == 404


def test_refuses_not_found(shop: Shop) -> None:
    token = shop.session(shop.user())
    shop.session(shop.user("admin"))
    others = shop.one("SELECT max(id) FROM user_sessions WHERE user_id = (SELECT max(id) FROM users)")
    with shop.unchanged():
        foreign = shop.delete(f"/me/sessions/{others}", token=token)
        unknown = shop.delete(f"/me/sessions/{UNKNOWN}", token=token)
    assert (foreign.status, foreign.body["code"]) == (404, "not_found")
    assert foreign.text.replace(others, UNKNOWN) == unknown.text


def test_refuses_who_is_not_logged_in(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.delete(f"/me/sessions/{UNKNOWN}").body["code"] == "unauthenticated"
        assert shop.delete(f"/me/sessions/{UNKNOWN}", api_key=shop.admin).body["code"] == "forbidden"

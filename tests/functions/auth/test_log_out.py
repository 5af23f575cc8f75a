"""POST /auth/log-out: the session is over, for bearer and browser alike."""

from tests.functions.auth.support import EMAIL, PASSWORD, TRAIL, cookie, events, log_in, logged_in, refresh
from tests.shop import Shop


def test_ends_this_session_and_no_other(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    one, other = logged_in(shop), logged_in(shop)
    with shop.unchanged("user_sessions", *TRAIL):
        reply = shop.post("/auth/log-out", token=one["access_token"])
    assert (reply.status, reply.text) == (204, "")
    assert shop.get("/orders", token=one["access_token"]).status == 401
    assert refresh(shop, one["refresh_token"]).status == 401
    assert shop.get("/orders", token=other["access_token"]).status == 200
    assert refresh(shop, other["refresh_token"]).status == 200
    assert events(shop)[2:] == [("log_out", user)]
    shop.checked()


def test_takes_the_cookies_away(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    reply = log_in(shop, cookies=True)
    access, csrf = cookie(reply, "access_token")[0], reply.body["csrf_token"]
    reply = shop.post("/auth/log-out", headers={"cookie": f"access_token={access}", "x-csrf-token": csrf})
    assert reply.status == 204
    for name, path in (("access_token", "/"), ("refresh_token", "/auth"), ("csrf_token", "/")):
        value, attributes = cookie(reply, name)
        assert value == ""
        assert {"Max-Age=0", f"Path={path}"} <= attributes


def test_refuses_who_is_not_logged_in(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.post("/auth/log-out").body["code"] == "unauthenticated"
        assert shop.post("/auth/log-out", api_key=shop.admin).body["code"] == "forbidden"


def test_a_second_time_is_too_late(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    token = logged_in(shop)["access_token"]
    assert shop.post("/auth/log-out", token=token).status == 204
    with shop.unchanged():
        assert shop.post("/auth/log-out", token=token).body["code"] == "unauthenticated"

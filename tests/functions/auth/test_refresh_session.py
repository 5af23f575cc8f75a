"""POST /auth/refresh: a refresh token is good once, and a used one ends its session."""

import hashlib

import pytest

from tests.functions.auth.support import EMAIL, PASSWORD, TRAIL, cookie, events, log_in, logged_in, refresh
from tests.shop import Shop

CHANGED = ("user_sessions", "used_refresh_tokens")


def test_hands_out_the_next_tokens_of_the_same_session(shop: Shop) -> None:
    user = shop.user("customer", email=EMAIL, password=PASSWORD)
    first = logged_in(shop)
    shop.clock(60)
    with shop.unchanged(*CHANGED):
        reply = refresh(shop, first["refresh_token"])
    assert reply.status == 200
    assert reply.body["user"] == first["user"]
    assert reply.body["refresh_token"] != first["refresh_token"]
    assert reply.cookies == ()
    assert shop.get("/orders", token=reply.body["access_token"]).status == 200
    [(owner, hashed, used_at, created_at)] = shop.rows(
        "SELECT user_id, refresh_token_hash, last_used_at, created_at FROM user_sessions"
    )
    assert (owner, hashed) == (user, hashlib.sha256(reply.body["refresh_token"].encode()).hexdigest())
    assert used_at > created_at
    assert refresh(shop, reply.body["refresh_token"]).status == 200
    shop.checked()


def test_one_that_was_used_ends_the_session_and_is_told(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    first, other = logged_in(shop), logged_in(shop)
    second = refresh(shop, first["refresh_token"]).body
    with shop.unchanged("user_sessions", *TRAIL):
        reply = refresh(shop, first["refresh_token"])
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert shop.get("/orders", token=second["access_token"]).status == 401
    with shop.unchanged():  # it is over, and said
        assert refresh(shop, second["refresh_token"]).status == 401
        assert refresh(shop, first["refresh_token"]).status == 401
    assert events(shop)[2:] == [("refresh_token_reused", user)]
    assert refresh(shop, other["refresh_token"]).status == 200


@pytest.mark.parametrize("token", ["", "rt_", "rt_unknown", "sk_0", "x" * 200, "rt_ä"])
def test_refuses_what_is_no_token_of_ours(shop: Shop, token: str) -> None:
    with shop.unchanged():
        reply = refresh(shop, token)
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


def test_refuses_a_session_that_is_over(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    tokens = [logged_in(shop)["refresh_token"] for _ in range(3)]
    sessions = [one for (one,) in shop.rows("SELECT id FROM user_sessions ORDER BY id")]
    shop.execute("UPDATE user_sessions SET revoked_at = created_at WHERE id = ?", sessions[0])
    assert refresh(shop, tokens[0]).status == 401
    shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
    assert refresh(shop, tokens[1]).status == 401
    shop.execute("UPDATE users SET status = 'ACTIVE' WHERE id = ?", user)
    shop.clock(2_592_000)
    assert refresh(shop, tokens[2]).status == 401
    assert shop.one("SELECT count(*) FROM used_refresh_tokens") == 0


def test_each_exchange_moves_the_end_of_the_session_on(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    token = logged_in(shop)["refresh_token"]
    for _ in range(3):
        shop.clock(2_000_000)
        reply = refresh(shop, token)
        assert reply.status == 200
        token = reply.body["refresh_token"]


def test_a_browser_brings_and_gets_cookies(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    first = log_in(shop, cookies=True)
    token, csrf = cookie(first, "refresh_token")[0], first.body["csrf_token"]
    shop.clock(901)  # the access token in the other cookie is over by now
    jar = f"access_token={cookie(first, 'access_token')[0]}; refresh_token={token}"
    reply = shop.post("/auth/refresh", headers={"cookie": jar, "x-csrf-token": csrf})
    assert reply.status == 200
    assert (reply.body["refresh_token"], reply.body["csrf_token"]) == (None, csrf)
    following, attributes = cookie(reply, "refresh_token")
    assert following not in ("", token)
    assert {"HttpOnly", "SameSite=Strict", "Path=/auth"} <= attributes
    access = cookie(reply, "access_token")[0]
    assert shop.get("/orders", headers={"cookie": f"access_token={access}"}).status == 200


def test_refuses_csrf_token_invalid(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    first = log_in(shop, cookies=True)
    jar = f"refresh_token={cookie(first, 'refresh_token')[0]}"
    with shop.unchanged():
        reply = shop.post("/auth/refresh", headers={"cookie": jar})
        assert (reply.status, reply.body["code"]) == (403, "csrf_token_invalid")
        jar = f"access_token={cookie(first, 'access_token')[0]}; {jar}"
        reply = shop.post("/auth/refresh", headers={"cookie": jar, "x-csrf-token": "0" * 64})
        assert (reply.status, reply.body["code"]) == (403, "csrf_token_invalid")


def test_refuses_without_any_token(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.post("/auth/refresh").body["code"] == "unauthenticated"
        assert shop.post("/auth/refresh", {"refresh_token": 1}).body["code"] == "invalid"
        assert shop.post("/auth/refresh", {"refresh_token": "x" * 201}).body["code"] == "invalid"

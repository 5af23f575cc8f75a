"""POST /me/password: the current one is asked for, and counted; the other sessions end."""

from typing import Any

import pytest

from tests.functions.auth.support import (
    COUNTS,
    EMAIL,
    OTHER_PASSWORD,
    PASSWORD,
    TRAIL,
    events,
    log_in,
    logged_in,
    mails,
    refresh,
)  # fmt: skip
from tests.shop import Reply, Shop


def change(shop: Shop, token: str, current: str = PASSWORD, new: str = OTHER_PASSWORD) -> Reply:
    return shop.post("/me/password", {"current_password": current, "new_password": new}, token=token)


def test_changes_it_and_ends_the_other_sessions(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    here, there = logged_in(shop), logged_in(shop)
    shop.post("/auth/password-reset", {"email": EMAIL})
    reset = mails(shop)[-1][1]["token"]
    with shop.unchanged("users", "user_sessions", "outbox", "password_resets", COUNTS, *TRAIL):
        reply = change(shop, here["access_token"])
    assert (reply.status, reply.text) == (204, "")
    assert shop.get("/me/sessions", token=here["access_token"]).status == 200
    assert shop.get("/me/sessions", token=there["access_token"]).status == 401
    assert refresh(shop, there["refresh_token"]).status == 401
    assert log_in(shop).status == 401
    assert log_in(shop, password=OTHER_PASSWORD).status == 200
    assert mails(shop)[-1] == ("password_changed", {"to": EMAIL, "language": "en"})
    assert ("password_changed", user) in events(shop)
    stolen = {"token": reset, "password": "another one altogether"}
    assert shop.post("/auth/password-reset/confirm", stolen).status == 410
    shop.checked()


def test_refuses_invalid_credentials(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token = shop.session(user)
    with shop.unchanged(COUNTS, *TRAIL):
        reply = change(shop, token, current="a wrong one")
    assert (reply.status, reply.body["code"]) == (401, "invalid_credentials")
    assert events(shop) == [("password_change_failed", user)]


def test_refuses_rate_limited_with_those_of_log_in(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token = shop.session(user)
    for _ in range(5):
        assert change(shop, token, current="a wrong one").status == 401
    with shop.unchanged():
        assert change(shop, token).body["code"] == "rate_limited"
        assert log_in(shop).body["code"] == "rate_limited"
    assert sorted(events(shop)) == [("locked_out", user), *[("password_change_failed", user)] * 5]


def test_who_has_no_password_sets_none(shop: Shop) -> None:
    token = shop.session(shop.user(email=EMAIL))
    with shop.unchanged(COUNTS, *TRAIL):
        assert change(shop, token).body["code"] == "invalid_credentials"


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaaaa", EMAIL, "ä" * 40])
def test_refuses_a_weak_one(shop: Shop, new: str) -> None:
    token = shop.session(shop.user(email=EMAIL, password=PASSWORD))
    with shop.unchanged():
        reply = change(shop, token, new=new)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/new_password")


def test_refuses_who_is_not_logged_in(shop: Shop) -> None:
    body = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    with shop.unchanged():
        assert shop.post("/me/password", body).body["code"] == "unauthenticated"
        assert shop.post("/me/password", body, api_key=shop.admin).body["code"] == "forbidden"


def test_of_two_at_once_the_second_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token = shop.session(user)

    async def meanwhile(*_: Any) -> str:
        shop.execute("UPDATE users SET password_hash = ? WHERE id = ?", "$2b$04$" + "b" * 53, user)
        return "$2b$04$" + "a" * 53

    monkeypatch.setattr("functions.me.change_password.hash_password", meanwhile)
    with shop.unchanged(COUNTS, "users"):
        assert change(shop, token).body["code"] == "invalid_credentials"
    assert shop.one("SELECT password_hash FROM users") == "$2b$04$" + "b" * 53

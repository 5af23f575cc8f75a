"""POST /auth/password-reset/confirm: a new password, once, and nobody stays logged in."""

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
from tests.functions.me.two_factor import code, protected
from tests.shop import Reply, Shop


def requested(shop: Shop) -> str:
    """The token of the mail."""
    assert shop.post("/auth/password-reset", {"email": EMAIL}).status == 202
    token: str = mails(shop)[-1][1]["token"]
    return token


def reset(shop: Shop, token: str, password: str = OTHER_PASSWORD) -> Reply:
    return shop.post("/auth/password-reset/confirm", {"token": token, "password": password})


def test_sets_the_password_and_ends_every_session(shop: Shop) -> None:
    user = shop.user("customer", email=EMAIL, password=PASSWORD)
    old = logged_in(shop)
    token = requested(shop)
    with shop.unchanged("users", "user_sessions", "password_resets", "outbox", *TRAIL):
        reply = reset(shop, token)
    assert (reply.status, reply.text) == (204, "")
    assert shop.get("/orders", token=old["access_token"]).status == 401
    assert refresh(shop, old["refresh_token"]).status == 401
    assert log_in(shop).status == 401
    assert log_in(shop, password=OTHER_PASSWORD).status == 200
    assert mails(shop)[-1] == ("password_changed", {"to": EMAIL, "language": "en"})
    assert ("password_reset", user) in events(shop)
    shop.checked()


def test_refuses_token_used(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    earlier, token = requested(shop), requested(shop)
    assert reset(shop, token).status == 204
    with shop.unchanged():
        for used in (token, earlier):
            reply = reset(shop, used, PASSWORD)
            assert (reply.status, reply.body["code"]) == (410, "token_used")


def test_an_unknown_and_an_expired_one_answer_alike(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    token = requested(shop)
    shop.clock(3600)
    with shop.unchanged():
        expired, unknown = reset(shop, token), reset(shop, "unknown")
    assert (expired.status, expired.text) == (unknown.status, unknown.text)
    assert expired.status == 410


def test_who_was_suspended_meanwhile_sets_none(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    token = requested(shop)
    shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
    with shop.unchanged():
        assert reset(shop, token).status == 410


def test_who_was_locked_out_may_try_again(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    for _ in range(5):
        log_in(shop, password="wrong")
    assert log_in(shop).status == 429
    assert reset(shop, requested(shop)).status == 204
    assert log_in(shop, password=OTHER_PASSWORD).status == 200


def test_the_mailbox_gives_no_more_tries_at_the_second_factor(shop: Shop) -> None:
    protected(shop)
    for _ in range(5):
        log_in(shop, code="000000")
    assert reset(shop, requested(shop)).status == 204
    assert log_in(shop, password=OTHER_PASSWORD, code=code()).status == 429


def test_a_weak_password_leaves_the_token_good(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    token = requested(shop)
    with shop.unchanged():
        assert reset(shop, token, "short").body["errors"][0]["code"] == "password_length"
        assert reset(shop, token, EMAIL).body["errors"][0]["code"] == "password_common"
    assert reset(shop, token).status == 204


@pytest.mark.parametrize("body", [{}, {"token": "x"}, {"password": PASSWORD}, {"token": "", "password": PASSWORD}])
def test_refuses_another_shape(shop: Shop, body: dict[str, Any]) -> None:
    with shop.unchanged(COUNTS):
        assert shop.post("/auth/password-reset/confirm", body).body["code"] == "invalid"

"""POST /auth/password-reset: a link for who has an account, the same answer for everybody."""

from typing import Any

import pytest

from tests.functions.auth.support import COUNTS, EMAIL, PASSWORD, TRAIL, events, mails
from tests.shop import Reply, Shop


def ask(shop: Shop, email: str = EMAIL) -> Reply:
    return shop.post("/auth/password-reset", {"email": email})


def test_mails_a_token_that_is_kept_as_a_hash(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    with shop.unchanged(COUNTS, "password_resets", "outbox", *TRAIL):
        reply = ask(shop, EMAIL.upper())
    assert (reply.status, reply.body) == (202, {"status": "sent"})
    [(kind, said)] = mails(shop)
    assert (kind, said["to"]) == ("reset_password", EMAIL)
    [(owner, hashed)] = shop.rows("SELECT user_id, token_hash FROM password_resets")
    assert owner == user
    assert said["token"] != hashed
    assert events(shop) == [("password_reset_requested", user)]
    shop.checked()


@pytest.mark.parametrize("user", [None, {"verified": False}, {"status": "SUSPENDED"}])
def test_who_has_no_account_gets_the_same_answer_and_no_mail(shop: Shop, user: dict[str, Any] | None) -> None:
    if user:
        shop.user(email=EMAIL, password=PASSWORD, **user)
    with shop.unchanged(COUNTS, *TRAIL):
        reply = ask(shop)
    assert (reply.status, reply.text) == (202, '{"status":"sent"}')


def test_three_mails_an_hour(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    for _ in range(5):
        assert ask(shop).text == '{"status":"sent"}'
    assert len(mails(shop)) == 3
    shop.clock(3600)
    ask(shop)
    assert len(mails(shop)) == 4


def test_refuses_rate_limited(shop: Shop) -> None:
    for number in range(50):
        assert ask(shop, f"user-{number}@example.com").status == 202
    with shop.unchanged():
        assert ask(shop).body["code"] == "rate_limited"


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": EMAIL, "user_id": "1"}])
def test_refuses_another_shape(shop: Shop, body: dict[str, Any]) -> None:
    with shop.unchanged():
        assert shop.post("/auth/password-reset", body).body["code"] == "invalid"

"""POST /auth/verify-email: the token makes the account, once."""

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
)
from tests.shop import Reply, Shop

WRITTEN = ("users", "user_roles", "verification_tokens", *TRAIL)


def registered(shop: Shop, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> str:
    """The token of the mail."""
    assert shop.post("/auth/register", {"email": email, "password": password, **more}).status == 202
    token: str = mails(shop)[-1][1]["token"]
    return token


def verify(shop: Shop, token: str, password: str = PASSWORD) -> Reply:
    return shop.post("/auth/verify-email", {"token": token, "password": password})


def test_makes_the_account(shop: Shop) -> None:
    token = registered(shop, first_name="Eleni", phone="+306912345678")
    with shop.unchanged(*WRITTEN):
        reply = verify(shop, token)
    assert (reply.status, reply.text) == (204, "")
    person = logged_in(shop)["user"]
    assert (person["first_name"], person["last_name"], person["phone"]) == ("Eleni", None, "+306912345678")
    assert person["roles"] == ["customer"]
    assert person["email_verified_at"] is not None
    assert ("email_verified", person["id"]) in events(shop)
    assert shop.rows("SELECT password_hash, profile FROM verification_tokens") == [(None, "{}")]
    shop.checked()


def test_refuses_token_used(shop: Shop) -> None:
    token = registered(shop)
    assert verify(shop, token).status == 204
    with shop.unchanged():
        reply = verify(shop, token)
    assert (reply.status, reply.body["code"]) == (410, "token_used")


def test_an_unknown_and_an_expired_one_answer_alike(shop: Shop) -> None:
    token = registered(shop)
    shop.clock(86_400)
    with shop.unchanged():
        expired, unknown = verify(shop, token), verify(shop, "unknown")
    assert (expired.status, expired.text) == (unknown.status, unknown.text)
    assert expired.status == 410


def test_the_first_that_comes_back_decides_the_password(shop: Shop) -> None:
    attackers = registered(shop, password=OTHER_PASSWORD)
    owners = registered(shop)
    assert verify(shop, owners).status == 204
    with shop.unchanged():
        assert verify(shop, attackers).status == 410
    assert log_in(shop, password=OTHER_PASSWORD).status == 401
    assert log_in(shop).status == 200


def test_a_strangers_registration_gives_the_stranger_nothing(shop: Shop) -> None:
    """All mail of the hour is of registrations by somebody else, and the owner follows one of them."""
    strangers = [registered(shop, password=OTHER_PASSWORD, first_name="Mallory") for _ in range(3)][-1]
    assert shop.post("/auth/register", {"email": EMAIL, "password": PASSWORD, "first_name": "Eleni"}).status == 202
    assert len(mails(shop)) == 3
    assert verify(shop, strangers).status == 204
    assert log_in(shop, password=OTHER_PASSWORD).status == 401
    assert logged_in(shop)["user"]["first_name"] is None
    shop.checked()


@pytest.mark.parametrize(("password", "code"), [("short", "password_length"), ("passwordpassword", "password_common")])
def test_refuses_a_password_that_may_be_none(shop: Shop, password: str, code: str) -> None:
    token = registered(shop)
    with shop.unchanged():
        reply = verify(shop, token, password)
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, code)
    assert verify(shop, token).status == 204


def test_sessions_from_before_end(shop: Shop) -> None:
    token = registered(shop)
    old = shop.session(shop.one("SELECT id FROM users"))
    assert verify(shop, token).status == 204
    assert shop.get("/orders", token=old).status == 401


def test_the_guest_s_orders_become_the_person_s(shop: Shop) -> None:
    variant = shop.variant(stock=50)
    own = shop.order({variant: 1})["id"]
    body = shop.checkout_body({variant: 1})
    shouted = shop.post(
        "/checkout", {**body, "customer": {**body["customer"], "email": EMAIL.upper()}}, idempotency_key="1"
    )
    another = shop.post(
        "/checkout", {**body, "customer": {**body["customer"], "email": "not-eleni@example.com"}}, idempotency_key="2"
    )
    without = shop.post(
        "/checkout", {**body, "customer": {"name": "Eleni", "phone": "+306912345678"}}, idempotency_key="3"
    )
    by_key = shop.post("/checkout", body, idempotency_key="4", api_key=shop.api_key("*"))
    other_person = shop.user()
    taken = shop.order({variant: 1})["id"]
    shop.execute("UPDATE orders SET user_id = ? WHERE id = ?", other_person, taken)
    token = registered(shop)
    with shop.unchanged("orders", *WRITTEN):
        assert verify(shop, token).status == 204
    user = shop.one("SELECT id FROM users WHERE email = ?", EMAIL)
    owners = dict(shop.rows("SELECT id, user_id FROM orders"))
    assert owners == {
        own: user,
        shouted.body["id"]: user,
        another.body["id"]: None,
        without.body["id"]: None,
        by_key.body["id"]: None,
        taken: other_person,
    }
    shop.checked()


def test_a_token_of_another_purpose_verifies_nothing(shop: Shop) -> None:
    token = registered(shop)
    shop.execute("UPDATE verification_tokens SET purpose = 'CHANGE_EMAIL'")
    with shop.unchanged():
        assert verify(shop, token).status == 410


def test_a_token_from_before_the_verification_by_another_way_is_void(shop: Shop) -> None:
    token = registered(shop)
    shop.execute("UPDATE users SET email_verified_at = created_at")  # as a sign-in through a provider does
    with shop.unchanged():
        assert verify(shop, token).status == 410


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": 1}, {"token": "x" * 201}, {"token": "x", "email": EMAIL}]
)
def test_refuses_another_shape(shop: Shop, body: dict[str, Any]) -> None:
    with shop.unchanged(COUNTS):
        assert shop.post("/auth/verify-email", body).body["code"] == "invalid"

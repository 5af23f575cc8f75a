"""POST /auth/register: mail to whoever has the address, one answer for every address."""

import json
from typing import Any

import pytest

from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, PASSWORD, TRAIL, events, log_in, mails
from tests.shop import Reply, Shop

WRITTEN = (COUNTS, "users", "verification_tokens", "outbox", *TRAIL)


def register(shop: Shop, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> Reply:
    return shop.post("/auth/register", {"email": email, "password": password, **more})


def test_a_new_address_gets_a_link_and_no_account_yet(shop: Shop) -> None:
    with shop.unchanged(*WRITTEN):
        reply = register(shop, first_name="Eleni", last_name="Papadopoulou", phone="+306912345678")
    assert (reply.status, reply.body) == (202, {"status": "sent"})
    [row] = shop.rows("SELECT email, status, password_hash, first_name, phone, email_verified_at FROM users")
    assert row == (EMAIL, "ACTIVE", None, None, None, None)
    [(kind, said)] = mails(shop)
    assert (kind, said["to"], said["language"]) == ("verify_email", EMAIL, "en")
    [(hashed, password_hash, profile)] = shop.rows("SELECT token_hash, password_hash, profile FROM verification_tokens")
    assert said["token"] not in hashed
    assert password_hash.startswith("$2b$04$")
    assert json.loads(profile)["first_name"] == "Eleni"
    assert log_in(shop).status == 401
    assert [kind for kind, _ in events(shop)] == ["registration", "log_in_failed"]
    shop.checked()


def test_an_address_that_waits_for_its_link_gets_another(shop: Shop) -> None:
    for password in (PASSWORD, OTHER_PASSWORD):
        assert register(shop, password=password).status == 202
    assert shop.one("SELECT count(*) FROM users") == 1
    assert shop.one("SELECT count(DISTINCT password_hash) FROM verification_tokens") == 2
    assert [kind for kind, _ in mails(shop)] == ["verify_email"] * 2


@pytest.mark.parametrize("status", ["ACTIVE", "SUSPENDED"])
def test_a_known_address_is_told_by_mail_and_keeps_its_password(shop: Shop, status: str) -> None:
    shop.user("admin", email=EMAIL.upper(), password=PASSWORD, status=status)
    with shop.unchanged(COUNTS, "outbox", *TRAIL):
        reply = register(shop, password=OTHER_PASSWORD)
    assert (reply.status, reply.text) == (202, '{"status":"sent"}')
    [(kind, said)] = mails(shop)
    assert (kind, "token" in said) == ("already_registered", False)


def test_the_address_of_who_was_deleted_is_free(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD, status="DELETED")
    shop.execute("UPDATE users SET deleted_at = created_at WHERE id = ?", user)
    assert register(shop).status == 202
    assert [kind for kind, _ in mails(shop)] == ["verify_email"]


def test_the_mail_speaks_the_reader_s_language(shop: Shop) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    shop.post("/auth/register", body, headers={"accept-language": "el-GR,el;q=0.9,en;q=0.5"})
    assert mails(shop)[0][1]["language"] == "el"


def test_three_mails_an_hour_to_an_address(shop: Shop) -> None:
    for _ in range(3):
        assert register(shop).status == 202
    with shop.unchanged(COUNTS):
        assert register(shop).text == '{"status":"sent"}'
    assert register(shop, "other@example.com").status == 202
    shop.clock(3600)
    register(shop)
    assert len(mails(shop)) == 5


def test_refuses_rate_limited(shop: Shop) -> None:
    for number in range(50):
        assert register(shop, f"user-{number}@example.com").status == 202
    with shop.unchanged():
        reply = register(shop)
    assert (reply.status, reply.body["code"]) == (429, "rate_limited")
    assert int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_length"),
        ("elevenbytes", "password_length"),
        ("ä" * 37, "password_length"),
        ("0123456789ab" * 6 + "c", "password_length"),
        ("aaaaaaaaaaaaaa", "password_common"),
        ("passwordpassword", "password_common"),
        (EMAIL, "password_common"),
    ],
)
def test_refuses_a_weak_password(shop: Shop, password: str, code: str) -> None:
    with shop.unchanged():
        reply = register(shop, password=password)
    assert reply.status == 422
    assert [(one["pointer"], one["code"]) for one in reply.body["errors"]] == [("/password", code)]


@pytest.mark.parametrize(
    "more",
    [
        {"email": "nobody"},
        {"first_name": ""},
        {"first_name": "a\r\nBcc: b@c.de"},
        {"phone": "123"},
        {"status": "ACTIVE"},
        {"email_verified_at": "2026-11-21T08:00:00.000Z"},
        {"roles": ["admin"]},
    ],
)
def test_refuses_another_shape(shop: Shop, more: dict[str, Any]) -> None:
    with shop.unchanged():
        assert shop.post("/auth/register", {"email": EMAIL, "password": PASSWORD, **more}).body["code"] == "invalid"


def test_who_verifies_meanwhile_is_found_by_the_next_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    user = shop.user(email=EMAIL, verified=False)

    async def meanwhile(*_: Any) -> str:
        shop.execute("UPDATE users SET email_verified_at = updated_at WHERE id = ?", user)
        return "$2b$04$" + "a" * 53

    monkeypatch.setattr("functions.auth.register_user.hash_password", meanwhile)
    assert register(shop).status == 202
    assert [kind for kind, _ in mails(shop)] == ["already_registered"]
    assert shop.one("SELECT count(*) FROM verification_tokens") == 0

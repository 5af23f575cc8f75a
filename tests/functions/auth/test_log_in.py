"""POST /auth/log-in: a session for who knows the password, one answer for everybody else."""

import hashlib
from typing import Any

import pytest

from api.settings import settings
from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, PASSWORD, TRAIL, cookie, events, log_in
from tests.shop import Reply, Shop


def told(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.text


def test_answers_tokens_and_the_person(shop: Shop) -> None:
    user = shop.user("customer", "staff", email=EMAIL, password=PASSWORD)
    shop.grant(user, "audit:read")
    shop.grant(user, "orders:cancel", "DENY")
    reply = log_in(shop)
    assert reply.status == 200
    person = reply.body["user"]
    assert (person["id"], person["email"], person["roles"]) == (user, EMAIL, ["customer", "staff"])
    assert {"audit:read", "orders:read", "products:create"} <= set(person["permissions"])
    assert not {"orders:cancel", "users:read", "*"} & set(person["permissions"])
    assert person["permissions"] == sorted(person["permissions"])
    assert (reply.body["token_type"], reply.body["expires_in"], reply.body["csrf_token"]) == ("Bearer", 900, None)
    assert reply.cookies == ()
    assert shop.get("/orders", token=reply.body["access_token"]).status == 200
    assert "password" not in reply.text


def test_an_admin_holds_everything_until_something_is_denied(shop: Shop) -> None:
    user = shop.user("admin", email=EMAIL, password=PASSWORD)
    everything = {key for (key,) in shop.rows("SELECT key FROM permissions")}
    assert set(log_in(shop).body["user"]["permissions"]) == everything
    shop.grant(user, "roles:assign", "DENY")
    assert set(log_in(shop).body["user"]["permissions"]) == everything - {"*", "roles:assign"}
    shop.grant(user, "*", "DENY")
    assert log_in(shop).body["user"]["permissions"] == []


def test_keeps_of_the_tokens_a_hash_alone(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    body = log_in(shop).body
    [row] = shop.rows(
        "SELECT user_id, refresh_token_hash, ip_address, user_agent, stepped_up_at, revoked_at, length(fingerprint)"
        " FROM user_sessions"
    )
    hashed = hashlib.sha256(body["refresh_token"].encode()).hexdigest()
    assert row == (user, hashed, "192.0.2.1", None, None, None, 64)
    assert body["refresh_token"].startswith("rt_")
    assert events(shop) == [("log_in", user)]
    kept = shop.rows("SELECT value FROM personal_values")
    assert kept == [('"192.0.2.1"',)]
    shop.checked()


def test_upper_and_lower_case_are_one_address(shop: Shop) -> None:
    user = shop.user(email="Eleni@Example.com", password=PASSWORD)
    body: Any = log_in(shop, "eLENI@example.COM").body
    assert (body["user"]["id"], body["user"]["email"]) == (user, "Eleni@Example.com")


def test_a_browser_gets_cookies(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    shop.patch.setenv("SHOP_URL", "https://shop.example")
    settings.cache_clear()
    reply = log_in(shop, cookies=True)
    assert reply.body["refresh_token"] is None
    access, attributes = cookie(reply, "access_token")
    assert attributes == {"HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=900"}
    token, attributes = cookie(reply, "refresh_token")
    assert token.startswith("rt_")
    assert attributes == {"HttpOnly", "Secure", "SameSite=Strict", "Path=/auth", "Max-Age=2592000"}
    csrf, attributes = cookie(reply, "csrf_token")
    assert csrf == reply.body["csrf_token"]
    assert attributes == {"Secure", "SameSite=Strict", "Path=/", "Max-Age=2592000"}
    sent = {"cookie": f"access_token={access}; csrf_token={csrf}"}
    assert shop.post("/auth/log-out", headers=sent).body["code"] == "csrf_token_invalid"
    assert shop.post("/auth/log-out", headers={**sent, "x-csrf-token": csrf}).status == 204


def test_cookies_are_not_secure_on_a_laptop(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    assert all("Secure" not in one for one in log_in(shop, cookies=True).cookies)


@pytest.mark.parametrize(
    "user",
    [
        None,
        {"password": OTHER_PASSWORD},
        {"password": None},
        {"password": PASSWORD, "verified": False},
        {"password": PASSWORD, "status": "SUSPENDED"},
    ],
    ids=["unknown", "wrong", "none", "unverified", "suspended"],
)
def test_refuses_invalid_credentials(shop: Shop, user: dict[str, Any] | None) -> None:
    reference = told(log_in(shop, "nobody@example.com"))
    user_id = shop.user("staff", email=EMAIL, **user) if user else None
    shop.execute("DELETE FROM rate_limits")
    with shop.unchanged(COUNTS, *TRAIL):
        reply = log_in(shop)
    assert (reply.status, reply.body["code"]) == (401, "invalid_credentials")
    assert told(reply) == reference
    assert reply.headers["ratelimit"].startswith('"login";r=4;')
    assert events(shop)[1:] == [("log_in_failed", user_id)]
    shop.checked()


def test_a_deleted_user_is_nobody(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD, status="DELETED")
    shop.execute("UPDATE users SET deleted_at = created_at WHERE id = ?", user)
    assert log_in(shop).status == 401


def test_a_password_of_more_bytes_than_bcrypt_reads_is_not_cut(shop: Shop) -> None:
    long = "0123456789ab" * 6
    shop.user(email=EMAIL, password=long)
    assert log_in(shop, password=long).status == 200
    assert log_in(shop, password=f"{long}c").body["code"] == "invalid_credentials"


def test_refuses_rate_limited_after_five_tries(shop: Shop) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)
    for left in (4, 3, 2, 1, 0):
        reply = log_in(shop, password=OTHER_PASSWORD)
        assert reply.status == 401
        assert reply.headers["ratelimit"].startswith(f'"login";r={left};')
    assert sorted(events(shop)) == [("locked_out", user), *[("log_in_failed", user)] * 5]
    with shop.unchanged():
        reply = log_in(shop)
    assert (reply.status, reply.body["code"]) == (429, "rate_limited")
    assert reply.body["limit"] == "login" and reply.headers["ratelimit-policy"] == '"login";q=5;w=900'
    assert 0 < int(reply.headers["retry-after"]) <= 900
    shop.clock(900)
    assert log_in(shop).status == 200


def test_a_right_one_forgets_the_wrong_ones_before(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    for _ in range(3):
        for _ in range(4):
            assert log_in(shop, password=OTHER_PASSWORD).status == 401
        assert log_in(shop).status == 200


def test_right_ones_are_none_of_the_fifty_tries_of_a_client(shop: Shop) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    assert [log_in(shop).status for _ in range(2)] == [200] * 2
    assert shop.rows("SELECT * FROM rate_limits") == []
    log_in(shop, "nobody@example.com")
    assert [log_in(shop).status for _ in range(55)] == [200] * 55
    assert shop.rows("SELECT substr(scope, 1, 6), count FROM rate_limits ORDER BY scope") == [
        ("addres", 1),
        ("login:", 1),
    ]
    shop.checked()


def test_an_address_has_fifty_tries_at_any_account(shop: Shop) -> None:
    for number in range(50):
        assert log_in(shop, f"user-{number}@example.com").status == 401
    shop.user(email=EMAIL, password=PASSWORD)
    with shop.unchanged():
        reply = log_in(shop)
    assert (reply.body["code"], reply.body["limit"]) == ("rate_limited", "address")
    assert reply.headers["ratelimit-policy"] == '"address";q=50;w=900'


def test_the_limit_that_is_nearest_is_told(shop: Shop) -> None:
    for number in range(47):
        reply = log_in(shop, f"user-{number}@example.com")
    assert reply.headers["ratelimit"].startswith('"address";r=3;')


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "a@b",
        "a b@c.de",
        "a@b.c\r\nBcc: d@e.fg",
        "a@b..c",
        "ä@example.com",
        ".a@b.cd",
        "<a@b.cd>",
        "x" * 250 + "@b.cd",
    ],
)
def test_refuses_what_is_no_address(shop: Shop, email: str) -> None:
    with shop.unchanged():
        assert log_in(shop, email).body["code"] == "invalid"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": EMAIL},
        {"email": EMAIL, "password": ""},
        {"email": EMAIL, "password": 1},
        {"email": EMAIL, "password": "x" * 289},
        {"email": EMAIL, "password": PASSWORD, "cookies": "yes"},
        {"email": EMAIL, "password": PASSWORD, "status": "ACTIVE"},
    ],
)
def test_refuses_another_shape(shop: Shop, body: dict[str, Any]) -> None:
    with shop.unchanged():
        assert shop.post("/auth/log-in", body).body["code"] == "invalid"


def test_what_changes_while_a_password_is_judged_counts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    user = shop.user(email=EMAIL, password=PASSWORD)

    async def meanwhile(*_: Any) -> bool:
        shop.execute("UPDATE users SET status = 'SUSPENDED' WHERE id = ?", user)
        return True

    monkeypatch.setattr("functions.auth.log_in.verify_password", meanwhile)
    with shop.unchanged(COUNTS, "users"):
        assert log_in(shop).body["code"] == "invalid_credentials"
    assert shop.rows("SELECT count FROM rate_limits") == [(1,), (1,)], "a batch that was refused gives no try back"

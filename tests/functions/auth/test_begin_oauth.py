"""GET /auth/oauth/{provider}: where to send the browser, and what is kept of it."""

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.functions.auth.oauth import STATES
from tests.functions.auth.support import COUNTS, cookie
from tests.functions.me.two_factor import refused
from tests.shop import Shop


@pytest.fixture(autouse=True)
def configured(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB", "GOOGLE"):
        monkeypatch.setenv(f"{name}_CLIENT_ID", f"our id at {name}")
        monkeypatch.setenv(f"{name}_CLIENT_SECRET", "our secret")


WHERE = {
    "github": ("github.com", "/login/oauth/authorize", "read:user user:email"),
    "google": ("accounts.google.com", "/o/oauth2/v2/auth", "openid email profile"),
}


@pytest.mark.parametrize("name", WHERE)
def test_sends_the_browser_to_the_provider(shop: Shop, name: str) -> None:
    reply = shop.get(f"/auth/oauth/{name}")
    assert reply.status == 200
    host, path, scope = WHERE[name]
    url = urlsplit(reply.body["authorization_url"])
    asked = {key: one for key, [one] in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", host, path)
    assert (asked["client_id"], asked["scope"]) == (f"our id at {name.upper()}", scope)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"http://localhost:8000/oauth/{name}"
    assert ("nonce" in asked) == (name == "google")
    assert "our secret" not in reply.text and "our+secret" not in reply.text
    known, attributes = cookie(reply, "oauth_state")
    assert known == asked["state"]
    assert attributes == {"Max-Age=600", "Path=/auth/oauth", "HttpOnly", "SameSite=Lax"}
    [(state_hash, provider, nonce)] = shop.rows("SELECT state_hash, provider, nonce FROM oauth_states")
    assert (state_hash, provider) == (hashlib.sha256(known.encode()).hexdigest(), name)
    if name == "google":
        assert nonce == hashlib.sha256(asked["nonce"].encode()).hexdigest()
    assert int(reply.headers["ratelimit"].partition(";r=")[2].partition(";")[0]) <= 50
    shop.checked()


def test_each_time_another_state(shop: Shop) -> None:
    assert len({shop.get("/auth/oauth/google").body["authorization_url"] for _ in range(3)}) == 3
    assert shop.one("SELECT count(*) FROM oauth_states") == 3


def test_a_cookie_is_secure_where_the_shop_is(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", "https://shop.example")
    assert "Secure" in cookie(shop.get("/auth/oauth/github"), "oauth_state")[1]


def test_expired_states_go_with_the_next(shop: Shop) -> None:
    for _ in range(3):
        shop.get("/auth/oauth/github")
    shop.clock(601)
    shop.get("/auth/oauth/github")
    assert shop.one("SELECT count(*) FROM oauth_states") == 1


def test_refuses_not_found(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_CLIENT_ID", "")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "")
    with shop.unchanged():
        refused(shop.get("/auth/oauth/github"), 404, "not_found")


def test_refuses_a_provider_that_nobody_knows(shop: Shop) -> None:
    with shop.unchanged():
        refused(shop.get("/auth/oauth/gitlab"), 422, "invalid")
        refused(shop.get("/auth/oauth/github?redirect_uri=https://evil.example"), 422, "invalid")


def test_refuses_rate_limited(shop: Shop) -> None:
    shop.get("/auth/oauth/github")
    shop.execute("UPDATE rate_limits SET count = 50")
    with shop.unchanged(COUNTS):
        reply = shop.get("/auth/oauth/github")
        refused(reply, 429, "rate_limited")
    assert "retry-after" in reply.headers
    assert shop.one(f"SELECT count(*) FROM {STATES}") == 1

"""POST /auth/oauth/{provider}/callback: who comes back from a provider."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.settings import settings
from tests.functions.auth.oauth import STATES, begin, set_up, signed_in
from tests.functions.auth.support import COUNTS, EMAIL, PASSWORD, TRAIL, cookie, events, log_in
from tests.functions.carts.support import guest
from tests.functions.me.two_factor import TURN_ON, code, protected, refused
from tests.providers import provider as local
from tests.providers.provider import Provider
from tests.shop import Shop

BOTH = pytest.mark.parametrize("name", ["github", "google"])


@pytest.fixture
def provider(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with local.provider() as made:
        set_up(shop, made, monkeypatch)
        yield made


@BOTH
def test_somebody_new_becomes_a_customer(shop: Shop, provider: Provider, name: str) -> None:
    body = signed_in(shop, provider, name)
    person = body["user"]
    assert (person["email"], person["first_name"], person["last_name"]) == (EMAIL, "Eleni", "Papadopoulou")
    assert (person["roles"], person["two_factor_enabled"]) == (["customer"], False)
    assert person["email_verified_at"] is not None
    assert shop.get("/orders", token=body["access_token"]).status == 200
    assert shop.post(TURN_ON, token=body["access_token"]).status == 201  # nothing else to step up with
    account = "4711" if name == "github" else "110169484474386276334"
    rows = shop.rows("SELECT user_id, provider, provider_account_id, email FROM oauth_accounts")
    assert rows == [(person["id"], name, account, EMAIL)]
    assert sorted(events(shop)) == [("log_in", person["id"]), ("oauth_linked", person["id"])]
    assert shop.one("SELECT count(*) FROM oauth_states") == 0
    shop.checked()


@BOTH
def test_a_known_account_is_its_user_s_whatever_its_address_is_now(shop: Shop, provider: Provider, name: str) -> None:
    first = signed_in(shop, provider, name)
    provider.emails = [{"email": "new@example.com", "primary": True, "verified": True}]
    provider.claims = {"email": "new@example.com"}
    again = signed_in(shop, provider, name)
    assert (again["user"]["id"], again["user"]["email"]) == (first["user"]["id"], EMAIL)
    assert shop.one("SELECT count(*) FROM users") == shop.one("SELECT count(*) FROM oauth_accounts") == 1
    shop.checked()


@BOTH
def test_a_verified_address_is_its_user_s(shop: Shop, provider: Provider, name: str) -> None:
    user = shop.user("customer", "staff", email="Eleni@Example.com", password=PASSWORD)
    body = signed_in(shop, provider, name)
    assert (body["user"]["id"], body["user"]["roles"]) == (user, ["customer", "staff"])
    refused(shop.post(TURN_ON, token=body["access_token"]), 403, "step_up_required")  # there is a password to show
    assert log_in(shop).status == 200
    signed_in(shop, provider, "google" if name == "github" else "github")
    assert shop.one("SELECT count(*) FROM oauth_accounts WHERE user_id = ?", user) == 2
    shop.checked()


@pytest.mark.parametrize("registered", [True, False])
def test_a_guest_s_orders_are_claimed_by_who_proves_the_address(
    shop: Shop, provider: Provider, registered: bool
) -> None:
    order = shop.order({shop.variant(): 1})
    if registered:
        shop.user(email=EMAIL, verified=False)
    person = signed_in(shop, provider)["user"]
    assert shop.rows("SELECT id, user_id FROM orders") == [(order["id"], person["id"])]
    shop.checked()


def test_a_guest_s_cart_is_merged(shop: Shop, provider: Provider) -> None:
    cart = guest(shop, {shop.variant(): 2})
    person = signed_in(shop, provider, cart_token=cart.token)["user"]
    assert shop.rows("SELECT id, user_id, token_hash FROM carts") == [(cart.id, person["id"], None)]
    shop.checked()


def test_a_browser_gets_cookies(shop: Shop, provider: Provider) -> None:
    reply = begin(shop, provider).finish(cookies=True)
    assert (reply.status, reply.body["refresh_token"]) == (200, None)
    token, _ = cookie(reply, "access_token")
    assert shop.get("/orders", headers={"cookie": f"access_token={token}"}).status == 200
    assert cookie(reply, "oauth_state") == ("", {"Max-Age=0", "Path=/auth/oauth", "HttpOnly", "SameSite=Lax"})


def test_a_state_is_good_once(shop: Shop, provider: Provider) -> None:
    browser = begin(shop, provider)
    assert browser.finish().status == 200
    asked = len(provider.asked)
    with shop.unchanged():
        refused(browser.finish(), 401, "invalid_credentials")
    assert len(provider.asked) == asked


def test_a_state_is_good_for_ten_minutes(shop: Shop, provider: Provider) -> None:
    late = begin(shop, provider)
    shop.clock(601)
    with shop.unchanged():
        refused(late.finish(), 401, "invalid_credentials")


def test_a_state_is_this_browser_s_and_this_provider_s(shop: Shop, provider: Provider) -> None:
    mine, other = begin(shop, provider), begin(shop, provider)
    with shop.unchanged():
        refused(mine.finish(cookie=other.cookie), 401, "invalid_credentials")
        refused(mine.finish(cookie=None), 401, "invalid_credentials")
        refused(mine.finish(cookie=""), 401, "invalid_credentials")
        refused(mine.finish(state="x", cookie="x"), 401, "invalid_credentials")
        refused(mine._replace(name="google").finish(), 401, "invalid_credentials")
    assert mine.finish().status == 200


def test_refuses_invalid_credentials(shop: Shop, provider: Provider) -> None:
    """Nothing is written, but that the state is gone; the provider's code of another sign-in is no good, by PKCE."""
    mine, other = begin(shop, provider), begin(shop, provider)
    with shop.unchanged(STATES):
        refused(mine.finish(code=other.code), 401, "invalid_credentials")
    google, another = begin(shop, provider, "google"), begin(shop, provider, "google")
    with shop.unchanged(STATES):
        refused(google.finish(code=another.code), 401, "invalid_credentials")


@BOTH
def test_a_code_that_nobody_gave_is_refused(shop: Shop, provider: Provider, name: str) -> None:
    browser = begin(shop, provider, name)
    with shop.unchanged(STATES):
        refused(browser.finish(code="nonsense"), 401, "invalid_credentials")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another-shop"}, {"aud": ["another", "the-shop"], "azp": None},
        {"azp": "another-shop"}, {"iss": "https://evil.example"}, {"exp": 1_700_000_000}, {"exp": "9999999999"},
        {"email_verified": False}, {"email_verified": None}, {"email_verified": "true"}, {"sub": ""},
        {"sub": "x" * 256},
        {"email": "no address"}, {"email": "a@b"}, {"email": "ελένη@example.com"}, {"email": f"{'x' * 250}@a.gr"},
    ],
)  # fmt: skip
def test_an_id_token_that_proves_nothing_is_refused(shop: Shop, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    browser = begin(shop, provider, "google")
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


def test_an_id_token_for_several_and_us_is_taken(shop: Shop, provider: Provider) -> None:
    provider.claims = {"aud": ["another", "the-shop"]}
    signed_in(shop, provider, "google")


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [{"email": EMAIL, "primary": True, "verified": False}],
        [{"email": EMAIL, "primary": False, "verified": True}],
        [{"email": EMAIL, "primary": True, "verified": "yes"}],
        [{"email": "a@b", "primary": True, "verified": True}],
    ],
)
def test_an_address_that_github_has_not_verified_is_refused(shop: Shop, provider: Provider, emails: Any) -> None:
    provider.emails = emails
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("status", ["SUSPENDED", "DELETED"])
def test_who_may_not_log_in_may_not_sign_in(shop: Shop, provider: Provider, status: str, linked: bool) -> None:
    user = signed_in(shop, provider)["user"]["id"] if linked else shop.user(email=EMAIL)
    shop.execute("UPDATE users SET status = ? WHERE id = ?", status, user)
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


def test_an_account_of_who_is_gone_is_nobody_s(shop: Shop, provider: Provider) -> None:
    user = signed_in(shop, provider)["user"]["id"]
    shop.execute("UPDATE users SET deleted_at = ?, status = 'DELETED' WHERE id = ?", shop.now, user)
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


def test_another_account_with_the_address_of_a_linked_one_is_refused(shop: Shop, provider: Provider) -> None:
    """An address may have another owner by now: the provider says so by another account."""
    signed_in(shop, provider)
    provider.user = {"id": 4712}
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


def test_refuses_two_factor_required(shop: Shop, provider: Provider) -> None:
    user = protected(shop)
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "two_factor_required")
    browser = begin(shop, provider)
    with shop.unchanged(STATES, COUNTS, *TRAIL):
        refused(browser.finish(two_factor_code="000000"), 401, "invalid_credentials")
    reply = begin(shop, provider).finish(two_factor_code=code())
    assert (reply.status, reply.body["user"]["id"]) == (200, user.id)
    assert shop.delete(TURN_ON, token=reply.body["access_token"]).status == 204
    shop.checked()


def test_refuses_rate_limited_guesses_at_the_second_factor(shop: Shop, provider: Provider) -> None:
    protected(shop)
    for _ in range(5):
        refused(begin(shop, provider).finish(two_factor_code="000000"), 401, "invalid_credentials")
    browser = begin(shop, provider)
    with shop.unchanged(STATES):
        refused(browser.finish(two_factor_code=code()), 429, "rate_limited")
    refused(log_in(shop, code=code()), 429, "rate_limited")


def test_refuses_not_found(shop: Shop, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = begin(shop, provider)
    monkeypatch.setenv("GITHUB_CLIENT_ID", "")
    monkeypatch.setenv("GITHUB_CLIENT_SECRET", "")
    settings.cache_clear()
    with shop.unchanged():
        refused(browser.finish(), 404, "not_found")


@BOTH
def test_refuses_provider_unavailable(shop: Shop, provider: Provider, name: str) -> None:
    browser = begin(shop, provider, name)
    provider.server.shutdown()
    provider.server.server_close()
    with shop.unchanged(STATES):
        reply = browser.finish()
        refused(reply, 503, "provider_unavailable")
    assert reply.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""), (200, b"nonsense"), (200, b"[]"), (200, b'"text"'), (200, b"null"), (200, b"{}"), (500, b"{}"),
        (200, b'{"id_token": "x.y.z", "access_token": 1}'), (200, b'{"id_token": null, "access_token": "\xce\xb1"}'),
        (200, b"[" * 100_000), (200, b'{"access_token": "' + b"x" * 300_000 + b'"}'), (429, b"{}"), (400, b"{}"),
        (400, b'{"error": "invalid_client"}'), (200, b'{"id_token": "e30.e30.", "access_token": "x"}'),
    ],
)  # fmt: skip
@BOTH
def test_a_provider_that_talks_nonsense_is_as_good_as_none(
    shop: Shop, provider: Provider, name: str, status: int, body: bytes
) -> None:
    browser = begin(shop, provider, name)
    provider.answers = dict.fromkeys(("/login/oauth/access_token", "/token"), (status, body, {}))
    with shop.unchanged(STATES):
        refused(browser.finish(), 503, "provider_unavailable")


@pytest.mark.parametrize("path", ["/api/v3/user", "/api/v3/user/emails"])
@pytest.mark.parametrize("told", ["nonsense", "{}", '{"id": "4711"}', '{"id": true}', "[1]", '[{"email": "a@b.gr"}]'])
def test_an_api_that_talks_nonsense_is_as_good_as_none(shop: Shop, provider: Provider, path: str, told: str) -> None:
    browser = begin(shop, provider)
    provider.answers = {path: (200, told.encode(), {})}
    with shop.unchanged(STATES):
        refused(browser.finish(), 503, "provider_unavailable")


def test_a_redirect_is_not_followed(shop: Shop, provider: Provider) -> None:
    with local.provider() as elsewhere:
        for path in ("/token", "/login/oauth/access_token", "/api/v3/user"):
            provider.answers = {path: (307, b"{}", {"location": f"{elsewhere.url}{path}"})}
            browser = begin(shop, provider, "google" if path == "/token" else "github")
            with shop.unchanged(STATES):
                refused(browser.finish(), 503, "provider_unavailable")
        assert elsewhere.asked == []


def test_a_slow_provider_is_not_waited_for(shop: Shop, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.oauth.SECONDS", 0.3)
    browser = begin(shop, provider)
    provider.seconds = 1.0
    with shop.unchanged(STATES):
        refused(browser.finish(), 503, "provider_unavailable")


@pytest.mark.parametrize(
    "sent", [{"code": ""}, {"code": "α"}, {"code": 1}, {"state": ""}, {"state": "x" * 101}, {"x": 1}]
)
def test_refuses_another_shape(shop: Shop, provider: Provider, sent: dict[str, Any]) -> None:
    browser = begin(shop, provider)
    with shop.unchanged():
        refused(browser.finish(**sent), 422, "invalid")


def test_no_secret_is_told_or_kept(shop: Shop, provider: Provider) -> None:
    browser = begin(shop, provider)
    reply = browser.finish()
    for table in ("security_events", "oauth_accounts", "users", "user_sessions"):
        kept = json.dumps(shop.rows(f"SELECT * FROM {table}"), default=str)
        assert not {one for one in (*provider.tokens, browser.code, browser.state) if one in kept}
    assert not {one for one in provider.tokens if one in reply.text}

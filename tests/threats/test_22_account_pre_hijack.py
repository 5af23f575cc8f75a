"""Threat 22: an attacker registers the victim's address before the victim does (PocketBase CVE-2024-38351).

The victim signs in through a provider that has verified the address. From then on nothing of the attacker's opens the
account: no password, session, link of a mail, second factor, recovery code or linked account.
"""

from collections.abc import Iterator

import pytest

from api.auth import hash_of
from api.clock import milliseconds_now, stamp
from tests.functions.auth.oauth import STATES, begin, set_up, signed_in
from tests.functions.auth.support import COUNTS, EMAIL, PASSWORD, TRAIL, log_in
from tests.functions.me.two_factor import RENEW, code, protected, refused
from tests.providers import provider as local
from tests.providers.provider import Provider
from tests.shop import Shop

PROVIDERS = pytest.mark.parametrize("name", ["github", "google"])


@pytest.fixture
def provider(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with local.provider() as made:
        set_up(shop, made, monkeypatch)
        yield made


def attacked(shop: Shop) -> tuple[str, str, list[str]]:
    """The victim's address in the attacker's hands, with all that could open it later: the user, a session's access
    token, recovery codes."""
    user, token, codes = protected(shop)
    shop.execute(
        "UPDATE users SET email_verified_at = NULL, first_name = 'Mallory', phone = '+306900000000' WHERE id = ?", user
    )
    times = {"created_at": shop.now, "updated_at": shop.now, "expires_at": stamp(milliseconds_now() + 3_600_000)}
    shop.insert("password_resets", id="reset_1", user_id=user, token_hash=hash_of("reset"), **times)
    shop.insert(
        "verification_tokens", id="verification_1", user_id=user, purpose="REGISTER", email=EMAIL,
        token_hash=hash_of("verify"), profile='{"first_name": "Mallory"}', **times,
    )  # fmt: skip
    del times["expires_at"]
    shop.insert(
        "oauth_accounts", id="oauth_1", user_id=user, provider="github", provider_account_id="666", email=EMAIL, **times
    )
    return user, token, codes


@PROVIDERS
def test_nothing_of_the_attacker_s_opens_the_account(shop: Shop, provider: Provider, name: str) -> None:
    user, token, codes = attacked(shop)
    shop.execute("UPDATE oauth_accounts SET provider = ?", "github" if name == "google" else "google")
    assert shop.post(RENEW, token=token).status == 200  # the session and its factor are good until then
    body = signed_in(shop, provider, name)
    person = body["user"]
    assert (person["id"], person["first_name"], person["phone"]) == (user, "Eleni", None)
    assert (person["email_verified_at"] is not None, person["two_factor_enabled"]) == (True, False)
    with shop.unchanged(COUNTS, *TRAIL):
        refused(log_in(shop), 401, "invalid_credentials")
        refused(log_in(shop, code=code()), 401, "invalid_credentials")
        refused(log_in(shop, code=codes[0]), 401, "invalid_credentials")
        refused(shop.get("/orders", token=token), 401, "unauthenticated")
        refused(shop.post(RENEW, token=token), 401, "unauthenticated")
    assert shop.one("SELECT count(*) FROM recovery_codes") == 0
    assert shop.one("SELECT count(*) FROM password_resets WHERE used_at IS NULL") == 0
    assert shop.rows("SELECT used_at IS NULL, password_hash, profile FROM verification_tokens") == [(0, None, "{}")]
    assert shop.rows("SELECT provider FROM oauth_accounts") == [(name,)]
    assert shop.one("SELECT count(*) FROM user_sessions WHERE revoked_at IS NULL") == 1
    assert shop.one("SELECT count(*) FROM security_events WHERE type = 'account_reclaimed'") == 1
    assert shop.get("/orders", token=body["access_token"]).status == 200  # the victim, the right actor
    shop.checked()


@PROVIDERS
def test_an_address_that_the_provider_has_not_verified_reclaims_nothing(
    shop: Shop, provider: Provider, name: str
) -> None:
    attacked(shop)
    provider.emails = [{"email": EMAIL, "primary": True, "verified": False}]
    provider.claims = {"email_verified": False}
    browser = begin(shop, provider, name)
    with shop.unchanged(STATES):
        refused(browser.finish(), 401, "invalid_credentials")


def test_the_other_way_round_a_provider_s_account_takes_nobody_s_password_away(shop: Shop, provider: Provider) -> None:
    """Who has proven the address keeps what they have: signing in by it only adds a way in."""
    user = shop.user("customer", email=EMAIL, password=PASSWORD)
    token = shop.session(user)
    assert signed_in(shop, provider)["user"]["id"] == user
    assert log_in(shop).status == 200
    assert shop.get("/orders", token=token).status == 200

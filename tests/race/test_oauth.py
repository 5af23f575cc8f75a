"""Sign-in through a provider, at once: one state opens one session, and one person has one account."""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.auth.oauth import Browser, begin, set_up
from tests.providers import provider as local
from tests.providers.provider import Provider
from tests.race.racers import Racers, tally
from tests.shop import Shop

AT_ONCE = 4


@pytest.fixture
def provider(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with local.provider() as made:
        set_up(shop, made, monkeypatch)
        yield made


@pytest.fixture
def racers(provider: Provider) -> Iterator[Racers]:
    """Started once the environment says where the provider is."""
    racers = Racers()
    yield racers
    racers.close()


def callback(browser: Browser) -> Asking:
    target = f"/auth/oauth/{browser.name}/callback"
    body = {"code": browser.code, "state": browser.state}
    headers = {"cookie": f"oauth_state={browser.cookie}"}
    return Asking("functions.auth.finish_oauth", target, body=body, headers=headers)


def test_of_one_state_at_once_one_opens_a_session(shop: Shop, provider: Provider, racers: Racers) -> None:
    for number, name in enumerate(("github", "google", "github"), 1):
        asked = len(provider.asked)
        told = tally(racers.race(shop.url, [callback(begin(shop, provider, name))] * AT_ONCE))
        assert told == {(200, None): 1, (401, "invalid_credentials"): AT_ONCE - 1}
        assert shop.one("SELECT count(*) FROM user_sessions") == number
        # Whoever lost asked the provider nothing: one exchange, after the browser's own visit.
        exchanges = [path for path in provider.asked[asked:] if path.endswith(("token", "access_token"))]
        assert len(exchanges) == 1
    assert shop.one("SELECT count(*) FROM oauth_states") == 0
    shop.checked()


def test_somebody_new_who_comes_back_from_two_browsers_at_once_is_one_person(
    shop: Shop, provider: Provider, racers: Racers
) -> None:
    browsers = [begin(shop, provider) for _ in range(AT_ONCE)]
    told = tally(racers.race(shop.url, [callback(browser) for browser in browsers]))
    assert told == {(200, None): AT_ONCE}
    counted = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM oauth_accounts), count(*) FROM user_sessions"
    assert shop.rows(counted) == [(1, 1, AT_ONCE)]
    shop.checked()

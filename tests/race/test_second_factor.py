"""One code, two uses at once: exactly one is taken. By real processes, at step-up and at log-in."""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking
from tests.functions.auth.support import EMAIL, PASSWORD
from tests.functions.me.two_factor import CONFIRM, SECRET, code, factor, live_sessions, protected
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 3
AT_ONCE = 4
"""Not more than a limit of five tries lets through."""


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def step_up(token: str, code: str) -> Asking:
    return Asking("functions.auth.step_up", "/auth/step-up", body={"code": code}, headers=bearer(token))


def log_in(code: str) -> Asking:
    body = {"email": EMAIL, "password": PASSWORD, "code": code}
    return Asking("functions.auth.log_in", "/auth/log-in", body=body)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("where", ["step_up", "log_in"])
def test_of_one_totp_code_at_once_one_is_taken(shop: Shop, racers: Racers, where: str) -> None:
    user = protected(shop)
    for _ in range(ROUNDS):
        shop.execute("DELETE FROM rate_limits")
        shop.execute("UPDATE users SET two_factor_step = 0")
        ask: Any = step_up(user.token, code()) if where == "step_up" else log_in(code())
        told = tally(racers.race(shop.url, [ask] * AT_ONCE))
        assert told == {(204 if where == "step_up" else 200, None): 1, (401, "invalid_credentials"): AT_ONCE - 1}
    sessions = 1 + ROUNDS * (where == "log_in")
    assert live_sessions(shop, user.id) == sessions
    assert shop.one("SELECT count(*) FROM security_events WHERE type IN ('stepped_up', 'log_in')") == ROUNDS
    shop.checked()


@pytest.mark.parametrize("where", ["step_up", "log_in"])
def test_of_one_recovery_code_at_once_one_is_taken(shop: Shop, racers: Racers, where: str) -> None:
    user = protected(shop)
    for recovery_code in user.recovery_codes[:ROUNDS]:
        shop.execute("DELETE FROM rate_limits")
        ask = step_up(user.token, recovery_code) if where == "step_up" else log_in(recovery_code)
        told = tally(racers.race(shop.url, [ask] * AT_ONCE))
        assert told == {(204 if where == "step_up" else 200, None): 1, (401, "invalid_credentials"): AT_ONCE - 1}
    assert factor(shop, user.id)[3:] == (6, 6 - ROUNDS)
    assert shop.one("SELECT count(*) FROM security_events WHERE type = 'recovery_code_used'") == ROUNDS
    shop.checked()


def test_confirmed_twice_at_once_it_is_on_once_with_ten_codes(shop: Shop, racers: Racers) -> None:
    user = shop.user("customer")
    token = shop.session(user, stepped_up=True)
    shop.execute("UPDATE users SET two_factor_secret = ? WHERE id = ?", SECRET, user)
    ask = Asking("functions.me.confirm_two_factor", CONFIRM, body={"code": code()}, headers=bearer(token))
    answers = racers.race(shop.url, [ask] * AT_ONCE)
    assert tally(answers) == {(200, None): 1, (409, "two_factor_enabled"): AT_ONCE - 1}
    assert factor(shop, user)[3:] == (10, 10)
    assert shop.one("SELECT count(*) FROM security_events WHERE type = 'two_factor_enabled'") == 1
    shop.checked()

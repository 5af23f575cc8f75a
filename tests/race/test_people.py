"""People at once: tokens are good once, and no more guesses are judged than the limit lets through."""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.auth.support import COUNTS, EMAIL, OTHER_PASSWORD, PASSWORD, log_in, logged_in, mails, refresh
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 3


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def test_a_refresh_token_used_twice_at_once_is_good_once_and_ends_its_session(shop: Shop, racers: Racers) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    for _ in range(ROUNDS):
        body = {"refresh_token": logged_in(shop)["refresh_token"]}
        answers = racers.race(shop.url, [Asking("functions.auth.refresh_session", "/auth/refresh", body=body)] * 2)
        assert tally(answers) == {(200, None): 1, (401, "unauthenticated"): 1}
        [won] = [answer.body for answer in answers if answer.status == 200]
        assert refresh(shop, won["refresh_token"]).status == 401
        assert shop.get("/me/sessions", token=won["access_token"]).status == 401
    assert shop.one("SELECT count(*) FROM security_events WHERE type = 'refresh_token_reused'") == ROUNDS
    assert shop.one("SELECT count(*) FROM user_sessions WHERE revoked_at IS NULL") == 0
    shop.checked()


def test_a_reset_token_used_twice_at_once_is_good_once(shop: Shop, racers: Racers) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    for _ in range(ROUNDS):
        assert shop.post("/auth/password-reset", {"email": EMAIL}).status == 202
        token = mails(shop)[-1][1]["token"]
        shop.execute("DELETE FROM outbox")
        passwords = [f"{OTHER_PASSWORD}, {number}" for number in range(2)]
        answers = racers.race(
            shop.url,
            [
                Asking(
                    "functions.auth.reset_password",
                    "/auth/password-reset/confirm",
                    body={"token": token, "password": one},
                )
                for one in passwords
            ],
        )
        assert tally(answers) == {(204, None): 1, (410, "token_used"): 1}
        assert [kind for kind, _ in mails(shop)] == ["password_changed"]
        won = [answer.status == 204 for answer in answers]
        assert [log_in(shop, password=one).status == 200 for one in passwords] == won
    shop.checked()


def test_a_verification_used_twice_at_once_makes_one_account(shop: Shop, racers: Racers) -> None:
    assert shop.post("/auth/register", {"email": EMAIL, "password": PASSWORD}).status == 202
    body = {"token": mails(shop)[-1][1]["token"], "password": PASSWORD}
    answers = racers.race(shop.url, [Asking("functions.auth.verify_email", "/auth/verify-email", body=body)] * 4)
    assert tally(answers) == {(204, None): 1, (410, "token_used"): 3}
    assert log_in(shop).status == 200


def test_an_address_registered_twice_at_once_is_one_user(shop: Shop, racers: Racers) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    answers = racers.race(shop.url, [Asking("functions.auth.register_user", "/auth/register", body=body)] * 3)
    assert tally(answers) == {(202, None): 3}
    assert shop.one("SELECT count(*) FROM users") == 1
    assert {kind for kind, _ in mails(shop)} == {"verify_email"}


def test_of_a_hundred_wrong_guesses_at_once_five_are_judged(shop: Shop, racers: Racers) -> None:
    shop.user(email=EMAIL, password=PASSWORD)
    guesses = [
        Asking("functions.auth.log_in", "/auth/log-in", body={"email": EMAIL, "password": f"a guess, number {number}"})
        for number in range(100)
    ]
    answers = racers.race(shop.url, guesses)
    told = tally(answers)
    assert set(told) <= {(401, "invalid_credentials"), (429, "rate_limited"), (503, "busy")}
    counted = [count for (count,) in shop.rows(f"SELECT count FROM {COUNTS} WHERE scope GLOB 'login:*'")]
    assert max(counted) == 5  # a window of time may have ended among them
    assert told[401, "invalid_credentials"] == sum(counted)
    failed = shop.one("SELECT count(*) FROM security_events WHERE type = 'log_in_failed'")
    assert failed == told[401, "invalid_credentials"]
    assert shop.one("SELECT count(*) FROM security_events WHERE type = 'locked_out'") >= 1
    assert told[429, "rate_limited"] >= 80
    shop.checked()

"""A hundred guesses at a guest's phone at once: no more are judged than the limit has room for."""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking
from tests.functions.orders.support import PHONE, WRONG_PHONE
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 3
UNKNOWN = "order_01kaktq2m8e8q8k3v9m1c4x7zd"


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def look(key: str, phone: str = WRONG_PHONE) -> Asking:
    return Asking("functions.orders.view_order", f"/orders/{key}?phone={phone}", "GET")


def cancel(key: str, phone: str = WRONG_PHONE) -> Asking:
    target = f"/orders/{key}/cancel?phone={phone}"
    return Asking("functions.orders.cancel_order", target, headers={"if-match": '"1"'})


def counts(shop: Shop) -> list[int]:
    """What was counted, a number for each window: a race may meet the end of an hour."""
    return [count for (count,) in shop.rows("SELECT count FROM rate_limits")]


@pytest.mark.parametrize("known", [True, False])
def test_of_a_hundred_wrong_guesses_ten_are_judged(shop: Shop, racers: Racers, known: bool) -> None:
    for _ in range(ROUNDS):
        key = shop.order({shop.variant(): 1})["id"] if known else UNKNOWN
        shop.execute("DELETE FROM rate_limits")
        answers = racers.race(shop.url, [look(key), cancel(key)] * 50)
        told = tally(answers)
        assert set(told) <= {(404, "not_found"), (429, "rate_limited"), (503, "busy")}
        judged = told[404, "not_found"]
        assert judged == sum(counts(shop))
        assert max(counts(shop)) == 10
        left = sorted(left_of(answer.headers) for answer in answers if answer.status == 404)
        if len(counts(shop)) == 1:
            assert left == list(range(10))
        assert {left_of(answer.headers) for answer in answers if answer.status == 429} == {0}
        assert all("retry-after" in answer.headers for answer in answers if answer.status == 429)
    shop.checked()


def test_a_right_guess_among_them_is_one_of_the_first_or_refused(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        order: Any = shop.order({shop.variant(): 1})
        shop.execute("DELETE FROM rate_limits")
        guesses = [look(order["id"]) for _ in range(60)]
        guesses[40:44] = [look(order["id"], PHONE), cancel(order["id"], PHONE)] * 2
        answers = racers.race(shop.url, guesses)
        told = tally(answers)
        assert told[404, "not_found"] == sum(counts(shop))
        assert max(counts(shop)) == 10
        assert {answers[number].status for number in range(40, 44)} <= {200, 412, 429, 503}
    shop.checked()


def left_of(headers: dict[str, str]) -> int:
    return int(headers["ratelimit"].partition(";r=")[2].partition(";")[0])

"""The job that removes the remembered answers whose day is over."""

import pytest

from functions.jobs import forget_idempotency_keys as module
from tests.functions.jobs.support import run
from tests.functions.orders.support import guess, to_the_next_window
from tests.shop import Shop


def test_forgets_the_answers_whose_day_is_over(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    shop.order({variant: 1})
    shop.order({variant: 1})
    shop.clock(80_000)
    shop.order({variant: 1})
    shop.clock(6_400)
    assert run("forget_idempotency_keys") == {
        "job": "forget_idempotency_keys", "forgotten": 2, "counts": 0, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert shop.one("SELECT count(*) FROM idempotency_keys") == 1
    with shop.unchanged():
        assert run("forget_idempotency_keys")["forgotten"] == 0
    shop.checked()


def test_forgets_the_counts_of_windows_that_are_over(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_next_window(shop)
    for number in range(3):
        guess(shop, f"ZZZZ-ZZZ{number}")
    shop.clock(3590)
    with shop.unchanged():
        assert run("forget_idempotency_keys")["counts"] == 0
    guess(shop, "ZZZZ-ZZZ0")
    shop.clock(10)
    guess(shop, "ZZZZ-ZZZ0")
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    answer = run("forget_idempotency_keys")
    assert (answer["counts"], answer["forgotten"], answer["rounds"]) == (3, 0, 3)
    assert shop.rows("SELECT count FROM rate_limits") == [(1,)]


def test_works_in_bounded_rounds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    for number in range(5):
        shop.post("/events", {"event_type": "a"}, idempotency_key=str(number))
    shop.clock(86_400)
    answer = run("forget_idempotency_keys")
    assert (answer["forgotten"], answer["rounds"]) == (5, 4)


def test_a_key_that_was_used_anew_stays(shop: Shop) -> None:
    shop.post("/events", {"event_type": "a"}, idempotency_key="key")
    shop.clock(86_400)
    shop.post("/events", {"event_type": "b"}, idempotency_key="key")
    assert run("forget_idempotency_keys")["forgotten"] == 0
    with shop.unchanged():
        again = shop.post("/events", {"event_type": "b"}, idempotency_key="key")
    assert again.headers["idempotency-replayed"] == "true"

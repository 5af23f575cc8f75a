"""Twenty clicks with one Idempotency-Key.

Goal: one order, and twenty equal answers. Method: four processes on one file wait at a barrier, and one serving
process is asked twenty times at once; afterwards rows are counted, not answers only.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking, Told
from tests.functions.carts.support import guest, stock
from tests.race.racers import Racers, tally
from tests.race.serving import served
from tests.shop import Shop

CLICKS = 20
ROUNDS = 5


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def click(body: object, key: str, **headers: str) -> Asking:
    return Asking("functions.checkout", "/checkout", body=body, headers={"idempotency-key": key, **headers})


def one_order(shop: Shop, answers: list[Told], orders: int) -> None:
    assert tally(answers) == {(201, None): len(answers)}
    assert all(answer.body == answers[0].body for answer in answers)
    for name in ("location", "etag", "content-type", "content-length"):
        assert len({answer.headers[name] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == len(answers) - 1
    counted = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM outbox), (SELECT count(*) FROM order_events)"
    assert shop.rows(counted) == [(orders, orders, orders)]
    shop.checked()


def test_twenty_clicks_from_four_processes_place_one_order(shop: Shop, racers: Racers) -> None:
    variant = shop.variant(stock=100)
    for number in range(ROUNDS):
        body = shop.checkout_body({variant: 2})
        answers = racers.race(shop.url, [click(body, f"key-{number}") for _ in range(CLICKS)])
        one_order(shop, answers, number + 1)
        assert stock(shop, variant) == (98 - 2 * number, 0, 0)


def test_twenty_clicks_through_one_server_place_one_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(stock=100)
    for number in range(ROUNDS):
        body = shop.checkout_body({variant: 2})
        one_order(shop, served([click(body, f"key-{number}") for _ in range(CLICKS)], monkeypatch), number + 1)
        assert stock(shop, variant) == (98 - 2 * number, 0, 0)


def test_twenty_clicks_on_a_cart_place_one_order(shop: Shop, racers: Racers) -> None:
    variant = shop.variant(stock=10)
    cart = guest(shop, {variant: 3})
    click_on_cart = click(shop.checkout_body(cart_id=cart.id), "key", **{"x-cart-token": cart.token})
    one_order(shop, racers.race(shop.url, [click_on_cart] * CLICKS), 1)


def test_the_last_piece_goes_to_one_key_however_often_it_is_clicked(shop: Shop, racers: Racers) -> None:
    """Twenty clicks each of five buyers for one piece: the buyer who got it is told so every time."""
    variant = shop.variant(stock=1)
    body = shop.checkout_body({variant: 1})
    answers = racers.race(shop.url, [click(body, f"buyer-{number % 5}") for number in range(5 * CLICKS)])
    winners = [number % 5 for number, answer in enumerate(answers) if answer.status == 201]
    assert len(set(winners)) == 1
    assert tally(answers) == {(201, None): CLICKS, (409, "insufficient_stock"): 4 * CLICKS}
    assert (shop.one("SELECT count(*) FROM orders"), stock(shop, variant)) == (1, (0, 0, 0))
    shop.checked()


def test_two_bodies_under_one_key_at_once_one_is_refused(shop: Shop, racers: Racers) -> None:
    variant = shop.variant(stock=100)
    for number in range(ROUNDS):
        bodies = [shop.checkout_body({variant: 1}), shop.checkout_body({variant: 2})]
        answers = racers.race(shop.url, [click(bodies[one % 2], f"key-{number}") for one in range(8)])
        assert tally(answers) == {(201, None): 4, (422, "idempotency_key_reused"): 4}
    assert shop.one("SELECT count(*) FROM orders") == ROUNDS
    shop.checked()

"""Many want to hold, sell, release or put back the same pieces.

Goal: no piece is held or sold twice, no hold ends twice, nothing is lost. Method: four processes on one file wait at a
barrier; afterwards rows are counted, not answers only.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking, Told
from tests.functions.stock.support import held, stock_of
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 5
BUSY = (503, "busy")


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def staff(shop: Shop) -> dict[str, str]:
    return {"authorization": f"Bearer {shop.admin}"}


def reserving(shop: Shop, variant: str, quantity: int = 1) -> Asking:
    body = {"variant_id": variant, "quantity": quantity, "expires_in": 900}
    return Asking("functions.stock.create_reservation", "/stock/reservations", body=body, headers=staff(shop))


def releasing(shop: Shop, hold: str) -> Asking:
    path = f"/stock/reservations/{hold}"
    return Asking("functions.stock.delete_reservation", path, method="DELETE", headers=staff(shop))


def adjusting(shop: Shop, variant: str, delta: int, reason: str = "adjustment") -> Asking:
    body = {"variant_id": variant, "delta": delta, "reason": reason}
    return Asking("functions.stock.adjust_stock", "/stock/adjustments", body=body, headers=staff(shop))


def buying(shop: Shop, lines: dict[str, int], key: str) -> Asking:
    body = shop.checkout_body(lines)
    return Asking("functions.checkout", "/checkout", body=body, headers={"idempotency-key": key})


def expiring() -> Asking:
    return Asking("tests.race.run_job", "/jobs/expire_reservations")


def expire(shop: Shop) -> None:
    """Let the time of every hold be over: the other processes' clocks cannot be moved."""
    shop.execute(
        "UPDATE reservations SET created_at = '2026-01-01T00:00:00.000Z', expires_at = '2026-01-01T00:01:00.000Z'"
    )


def moved(shop: Shop, variant: str, reason: str) -> tuple[int, int]:
    """How many moves of that reason, and their sum."""
    found: tuple[int, int] = shop.rows(
        "SELECT count(*), coalesce(sum(delta), 0) FROM stock_moves WHERE variant_id = ? AND reason = ?", variant, reason
    )[0]
    return found


def until_done(racers: Racers, shop: Shop, requests: list[Asking]) -> list[Told]:
    """The answers of all, those asked again who were told that the shop is busy."""
    answers = racers.race(shop.url, requests)
    again = [number for number, answer in enumerate(answers) if (answer.status, answer.code) == BUSY]
    if again:
        for number, answer in zip(again, until_done(racers, shop, [requests[number] for number in again]), strict=True):
            answers[number] = answer
    return answers


def test_fifty_reservers_of_the_last_five_pieces(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=5)
        answers = racers.race(shop.url, [reserving(shop, variant)] * 50)
        assert tally(answers) == {(201, None): 5, (409, "insufficient_stock"): 45}
        lines = [answer.body["lines"] for answer in answers if answer.status == 409]
        assert lines == [[{"variant_id": variant, "requested": 1, "available": 0}]] * 45
        holds = shop.rows("SELECT id, status FROM reservations WHERE variant_id = ?", variant)
        assert {hold for hold, _ in holds} == {answer.body["id"] for answer in answers if answer.status == 201}
        assert shop.rows("SELECT stock, reserved FROM inventory WHERE variant_id = ?", variant) == [(0, 5)]
        assert moved(shop, variant, "reservation") == (5, -5)
    shop.checked()


def test_twenty_releases_of_one_hold(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=9)
        hold = held(shop, variant, 7)["id"]
        answers = racers.race(shop.url, [releasing(shop, hold)] * 20)
        assert tally(answers) == {(204, None): 1, (409, "reservation_ended"): 19}
        assert shop.rows("SELECT stock, reserved FROM inventory WHERE variant_id = ?", variant) == [(9, 0)]
        assert moved(shop, variant, "release") == (1, 7)
        assert shop.one("SELECT status FROM reservations WHERE id = ?", hold) == "RELEASED"
    shop.checked()


def test_expired_holds_go_to_buyers_and_reservers_once(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=10)
        holds = [held(shop, variant, 1)["id"] for _ in range(10)]
        expire(shop)
        requests = [buying(shop, {variant: 1}, f"{number}-{buyer}") for buyer in range(16)]
        requests += [reserving(shop, variant)] * 12 + [expiring()] * 4 + [releasing(shop, hold) for hold in holds[:4]]
        answers = until_done(racers, shop, requests[::2] + requests[1::2])
        told = tally(answers)
        assert told[201, None] == 10
        assert told[409, "insufficient_stock"] == 18
        assert told[409, "reservation_ended"] == 4
        assert sum(told.values()) == 10 + 18 + 4 + 4
        assert shop.one("SELECT stock FROM inventory WHERE variant_id = ?", variant) == 0
        sold, reserved = -moved(shop, variant, "sale")[1], moved(shop, variant, "reservation")
        assert sold + shop.one("SELECT reserved FROM inventory WHERE variant_id = ?", variant) == 10
        assert reserved[0] == 10 + 10 - sold
        assert moved(shop, variant, "release") == (10, 10)
        ids = ", ".join(f"'{hold}'" for hold in holds)
        ended = shop.rows(f"SELECT DISTINCT status FROM reservations WHERE id IN ({ids})")
        assert ended == [("EXPIRED",)]
    shop.checked()


def test_a_carts_hold_is_consumed_or_released_never_both(shop: Shop, racers: Racers) -> None:
    for number in range(2 * ROUNDS):
        variant = shop.variant(stock=3)
        cart = shop.post("/carts", {"items": [{"variant_id": variant, "quantity": 3}]}).body
        hold = held(shop, variant, 3, cart_id=cart["id"])["id"]
        order = Asking(
            "functions.checkout",
            "/checkout",
            body=shop.checkout_body(cart_id=cart["id"]),
            headers={"idempotency-key": f"cart-{number}", "x-cart-token": cart["token"]},
        )
        answers = racers.race(shop.url, [order, releasing(shop, hold), releasing(shop, hold)])
        assert answers[0].status == 201, answers[0]
        released = [answer.status for answer in answers[1:]].count(204)
        status = shop.one("SELECT status FROM reservations WHERE id = ?", hold)
        assert (released, status) in [(1, "RELEASED"), (0, "CONSUMED")]
        assert shop.rows("SELECT stock, reserved FROM inventory WHERE variant_id = ?", variant) == [(0, 0)]
        assert moved(shop, variant, "release") == (1, 3)
        assert moved(shop, variant, "sale") == (1, -3)
    shop.checked()


def test_adjustments_and_sales_at_once_are_all_kept(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=100)
        requests = [adjusting(shop, variant, delta) for delta in (-3, 5, -7, 11) * 3]
        requests += [buying(shop, {variant: 2}, f"{number}-{buyer}") for buyer in range(12)]
        answers = racers.race(shop.url, requests[::2] + requests[1::2])
        assert tally(answers) == {(201, None): 24}, "nobody had to give way"
        assert stock_of(shop, variant)["available"] == 100 + 3 * 6 - 24
    shop.checked()


def test_twenty_adjustments_below_zero_take_what_there_is(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=10)
        answers = racers.race(shop.url, [adjusting(shop, variant, -3)] * 20)
        assert tally(answers) == {(201, None): 3, (409, "insufficient_stock"): 17}
        assert sorted(answer.body["balance_after"] for answer in answers if answer.status == 201) == [1, 4, 7]
        assert stock_of(shop, variant)["available"] == 1
    shop.checked()


def test_twenty_buyers_beyond_stock_are_all_served(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=5, policy="CONTINUE")
        requests = [buying(shop, {variant: 2}, f"beyond-{number}-{buyer}") for buyer in range(20)]
        answers = until_done(racers, shop, requests)
        assert tally(answers) == {(201, None): 20}
        assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(0, 35)]
        assert moved(shop, variant, "sale")[1] == -5
    shop.checked()


def test_receipts_and_orders_beyond_stock_leave_nobody_owed(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=0, policy="CONTINUE")
        requests: list[Any] = [buying(shop, {variant: 1}, f"{number}-{buyer}") for buyer in range(20)]
        requests += [adjusting(shop, variant, 5, "receipt") for _ in range(4)]
        answers = until_done(racers, shop, requests[::3] + requests[1::3] + requests[2::3])
        assert tally(answers) == {(201, None): 24}
        assert shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant) == [(0, 0)]
        assert moved(shop, variant, "sale")[1] == -20
    shop.checked()

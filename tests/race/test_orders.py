"""Two or more people want something of the same order.

Goal: of steps that exclude each other one is taken, and stock and money are as if nobody else had been there.
Method: four processes on one file wait at a barrier; afterwards rows are counted, not answers only.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking
from tests.functions.orders.support import PHONE, brought, view
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 5


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def cancel(order: Any, key: str | None = None, *, if_match: str = '"1"', api_key: str | None = None) -> Asking:
    """A cancellation by the guest, or by whoever holds `api_key`."""
    headers = {"if-match": if_match}
    if key:
        headers["idempotency-key"] = key
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    return Asking("functions.orders.cancel_order", f"/orders/{order['id']}/cancel?phone={PHONE}", headers=headers)


def pay(shop: Shop, order: Any, amount: int, key: str, **more: str) -> Asking:
    return Asking(
        "functions.orders.record_payment",
        f"/orders/{order['id']}/payments",
        body={"provider": "manual", "amount": amount, **more},
        headers={"authorization": f"Bearer {shop.admin}", "idempotency-key": key},
    )


def stock(shop: Shop, variant: str) -> Any:
    return shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant)[0]


def count(shop: Shop, what: str, order: Any) -> Any:
    counts = {
        "returns": "SELECT count(*) FROM stock_moves WHERE order_id = ? AND reason = 'return'",
        "cancelled": "SELECT count(*) FROM order_events WHERE order_id = ? AND to_status = 'CANCELLED'",
        "told": "SELECT count(*) FROM outbox WHERE entity_id = ? AND topic = 'order.cancelled'",
        "paid": "SELECT coalesce(sum(amount), 0) FROM payments WHERE order_id = ? AND status = 'SETTLED'",
        "payments": "SELECT count(*) FROM payments WHERE order_id = ?",
    }
    return shop.one(counts[what], order["id"])


@pytest.mark.parametrize(("if_match", "losers"), [('"1"', (412, "stale_version")), ("*", (409, "illegal_transition"))])
def test_twenty_cancellations_give_the_stock_back_once(
    shop: Shop, racers: Racers, if_match: str, losers: tuple[int, str]
) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=10)
        order = shop.order({variant: 7})
        answers = racers.race(shop.url, [cancel(order, if_match=if_match) for _ in range(20)])
        assert tally(answers) == {(200, None): 1, losers: 19}
        assert stock(shop, variant) == (10, 0)
        assert [count(shop, what, order) for what in ("returns", "cancelled", "told")] == [1, 1, 1]
    shop.checked()


def test_twenty_clicks_with_one_key_cancel_once_and_are_told_the_same(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=3)
        order = shop.order({variant: 3})
        answers = racers.race(shop.url, [cancel(order, f"click-{number}") for _ in range(20)])
        assert tally(answers) == {(200, None): 20}
        assert all(answer.body == answers[0].body for answer in answers)
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 19
        assert stock(shop, variant) == (3, 0)
        assert count(shop, "returns", order) == 1
    shop.checked()


def test_pay_and_cancel_at_once_one_wins(shop: Shop, racers: Racers) -> None:
    winners = set()
    for number in range(3 * ROUNDS):
        variant = shop.variant(stock=5, price=1000)
        order = shop.order({variant: 1})
        paying = [pay(shop, order, 1000, f"pay-{number}-{buyer}") for buyer in range(4)]
        cancelling = [cancel(order) for _ in range(4)]
        answers = racers.race(shop.url, [one for pair in zip(paying, cancelling, strict=True) for one in pair])
        paid, cancelled = answers[::2], answers[1::2]
        after = view(shop, order["id"])
        winners.add(after["status"])
        assert after["version"] == 2
        if after["status"] == "PAID":
            assert tally(paid) == {(201, None): 1, (409, "illegal_transition"): 3}
            assert tally(cancelled) == {(412, "stale_version"): 4}
            assert (count(shop, "paid", order), stock(shop, variant)) == (1000, (4, 0))
        else:
            assert tally(paid) == {(409, "illegal_transition"): 4}
            assert tally(cancelled) == {(200, None): 1, (412, "stale_version"): 3}
            assert (count(shop, "payments", order), stock(shop, variant)) == (0, (5, 0))
    assert winners <= {"PAID", "CANCELLED"}
    shop.checked()


def test_two_payments_that_together_exceed_the_total_one_is_refused(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        order = shop.order({shop.variant(price=1000): 1})
        answers = racers.race(shop.url, [pay(shop, order, 600, f"two-{number}-{one}") for one in range(2)])
        assert tally(answers) == {(201, None): 1, (409, "payment_exceeds_due"): 1}
        assert [answer.body["due"] for answer in answers if answer.status == 409] == [400]
        assert (count(shop, "paid", order), count(shop, "payments", order)) == (600, 1)
    shop.checked()


def test_many_payments_never_settle_more_than_the_total(shop: Shop, racers: Racers) -> None:
    """Each change makes the others run again, three times at most: who is told `busy` has paid nothing."""
    for number in range(ROUNDS):
        order = shop.order({shop.variant(price=1000): 1})
        answers = racers.race(shop.url, [pay(shop, order, 300, f"many-{number}-{one}") for one in range(12)])
        told = tally(answers)
        assert set(told) <= {(201, None), (409, "payment_exceeds_due"), (503, "busy")}
        assert told[201, None] == 3
        assert (count(shop, "paid", order), count(shop, "payments", order)) == (900, 3)
        assert view(shop, order["id"])["status"] == "PENDING"
    shop.checked()


def test_the_last_payment_is_seen_by_one_alone(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        order = shop.order({shop.variant(price=1000): 1})
        answers = racers.race(shop.url, [pay(shop, order, 500, f"halves-{number}-{one}") for one in range(2)])
        assert tally(answers) == {(201, None): 2}
        assert sorted(answer.body["order_status"] for answer in answers) == ["PAID", "PENDING"]
        assert view(shop, order["id"])["status"] == "PAID"
    shop.checked()


def test_one_transaction_is_written_down_for_one_order(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        orders = [shop.order({shop.variant(price=1000): 1}) for _ in range(4)]
        bank = f"bank-{number}"
        answers = racers.race(shop.url, [pay(shop, one, 1000, one["id"], transaction_id=bank) for one in orders])
        assert tally(answers) == {(201, None): 1, (409, "already_exists"): 3}
        assert shop.one("SELECT count(*) FROM payments WHERE transaction_id = ?", bank) == 1
    shop.checked()


def test_fulfil_and_cancel_at_once_one_wins(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=4)
        order = brought(shop, "PAID", {variant: 4})
        headers = {"authorization": f"Bearer {shop.admin}", "if-match": '"2"'}
        packing = Asking("functions.orders.fulfil_order", f"/orders/{order['id']}/fulfil", headers=headers)
        answers = racers.race(shop.url, [packing, cancel(order, if_match='"2"', api_key=shop.admin)] * 4)
        assert tally(answers) == {(200, None): 1, (412, "stale_version"): 7}
        after = view(shop, order["id"])
        assert (after["status"], stock(shop, variant)) in [("FULFILLED", (0, 0)), ("CANCELLED", (4, 0))]
        assert after["version"] == 3
    shop.checked()


def test_cancelling_while_others_buy_loses_and_makes_no_piece(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant, other = shop.variant(stock=12), shop.variant(stock=12)
        orders = [shop.order({variant: 1, other: 1}) for _ in range(12)]
        buying = [
            Asking(
                "functions.checkout",
                "/checkout",
                body=shop.checkout_body({other: 1, variant: 1}),
                headers={"idempotency-key": f"buy-{number}-{buyer}"},
            )
            for buyer in range(12)
        ]
        cancelling = [cancel(order) for order in orders]
        answers = racers.race(shop.url, [one for pair in zip(buying, cancelling, strict=True) for one in pair])
        bought, cancelled = answers[::2], answers[1::2]
        assert tally(cancelled) == {(200, None): 12}
        told = tally(bought)
        assert set(told) <= {(201, None), (409, "insufficient_stock")}
        assert stock(shop, variant) == stock(shop, other) == (12 - told[201, None], 0)
    shop.checked()


def test_a_receipt_and_a_cancellation_at_once_leave_nobody_owed(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant(stock=2, policy="CONTINUE")
        order = shop.order({variant: 5})
        headers = {"authorization": f"Bearer {shop.admin}"}
        body = {"variant_id": variant, "delta": 4, "reason": "receipt"}
        receipt = Asking("functions.stock.adjust_stock", "/stock/adjustments", body=body, headers=headers)
        answers = racers.race(shop.url, [receipt, cancel(order)])
        assert [answer.status for answer in answers] == [201, 200], answers
        assert stock(shop, variant) == (6, 0)
        assert shop.one("SELECT sum(backordered_quantity) FROM order_items") == 0
    shop.checked()

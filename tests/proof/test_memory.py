"""What was acknowledged and is not so, and what is so and was told to nobody: each lie is seen, and no truth is one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db.helper import connect
from proof.books import SqlBooks
from proof.memory import Adjustment, Hold, Memory, Order, Refusal, Verdict, compare
from tests.functions.stock.support import adjust, held
from tests.shop import LOOP, Shop

PIECES = 20


class Told:
    """An article, and what was acknowledged of it: two orders, one of them cancelled, two holds, an adjustment."""

    def __init__(self, shop: Shop) -> None:
        self.db = LOOP.run_until_complete(connect(shop.url))
        self.variant, self.other = LOOP.run_until_complete(SqlBooks(self.db).open(2, PIECES))
        self.memory = Memory({self.variant: PIECES, self.other: PIECES})
        self.shop = shop
        self.kept, self.cancelled = self.order("kept", 3), self.order("cancelled", 2)
        shop.post(f"/orders/{self.cancelled}/cancel", api_key=shop.admin, if_match=1)
        self.memory.orders[self.cancelled].cancelled = True
        self.hold = self.holding(4)
        ended = self.holding(1)
        assert shop.delete(f"/stock/reservations/{ended}", api_key=shop.admin).status == 204
        self.memory.holds[ended].released = True
        self.move = adjust(shop, self.variant, 5).body["id"]
        self.memory.adjustments[self.move] = Adjustment(self.variant, 5)

    def order(self, key: str, pieces: int) -> str:
        cart = {self.variant: pieces, self.other: 1}
        reply = self.shop.post("/checkout", self.shop.checkout_body(cart), idempotency_key=key)
        assert reply.status == 201, reply.text
        self.memory.placed(key, reply.body["id"], cart)
        return str(reply.body["id"])

    def holding(self, pieces: int) -> str:
        hold = held(self.shop, self.variant, pieces)["id"]
        self.memory.holds[hold] = Hold(self.variant, pieces)
        return str(hold)

    def compared(self) -> Verdict:
        return LOOP.run_until_complete(compare(self.db, self.memory))


@pytest.fixture
def told(shop: Shop) -> Told:
    return Told(shop)


def test_the_truth_is_no_lie(told: Told) -> None:
    assert told.compared() == Verdict([], [], [])
    assert told.memory.acknowledged == 5
    assert told.memory.expected() == {told.variant: PIECES - 3 + 5, told.other: PIECES - 1}


LOST: dict[str, Callable[[Told], None]] = {
    "an order": lambda told: told.memory.placed("other", "order_nobody", {told.variant: 1}),
    "a hold": lambda told: told.memory.holds.update(hold=Hold(told.variant, 1)),
    "an adjustment": lambda told: told.memory.adjustments.update(move=Adjustment(told.variant, 1)),
    "a cancellation": lambda told: setattr(told.memory.orders[told.kept], "cancelled", True),
    "a release": lambda told: setattr(told.memory.holds[told.hold], "released", True),
}
DOUBLE: dict[str, Callable[[Told], object]] = {
    "an order": lambda told: told.memory.orders.pop(told.kept),
    "a hold": lambda told: told.memory.holds.pop(told.hold),
    "an adjustment": lambda told: told.memory.adjustments.pop(told.move),
    "a cancellation": lambda told: setattr(told.memory.orders[told.cancelled], "cancelled", False),
}
VIOLATED: dict[str, Callable[[Told], object]] = {
    "other pieces": lambda told: told.memory.orders.update({told.kept: Order("kept", {told.variant: 2})}),
    "another delta": lambda told: told.memory.adjustments.update({told.move: Adjustment(told.variant, 6)}),
    "a key that remembers nothing": lambda told: told.shop.execute("DELETE FROM idempotency_keys WHERE key = 'kept'"),
    "an answer that nobody should get": lambda told: told.memory.wrong.append("500"),
    "an invariant": lambda told: told.shop.execute("UPDATE inventory SET stock = 3 WHERE variant_id = ?", told.other),
}


@pytest.mark.parametrize("what", LOST)
def test_what_is_lost_is_seen(told: Told, what: str) -> None:
    LOST[what](told)
    assert len(told.compared().lost) == 1


@pytest.mark.parametrize("what", DOUBLE)
def test_what_was_told_to_nobody_is_seen(told: Told, what: str) -> None:
    DOUBLE[what](told)
    first = told.compared()
    assert len(first.double) == 1
    assert told.compared() == first, "asked again, it finds the same"


@pytest.mark.parametrize("what", VIOLATED)
def test_what_is_violated_is_seen(told: Told, what: str) -> None:
    VIOLATED[what](told)
    verdict = told.compared()
    assert verdict.violated
    assert not verdict.lost


def test_a_cancellation_whose_end_nobody_was_told_may_be_done_or_not(told: Told) -> None:
    told.memory.orders[told.cancelled].cancelled = False
    for order in told.memory.orders.values():
        order.cancelling = True
    assert told.compared().good
    assert told.memory.orders[told.cancelled].cancelled


def test_what_was_refused_and_done_by_a_late_copy_is_no_second_effect(told: Told) -> None:
    """The key tells; an order that no key made is double all the same."""
    order = told.memory.orders.pop(told.kept)
    told.memory.refused = [Refusal("order", order.cart, order.key), Refusal("order", {told.variant: 1}, "never done")]
    assert told.compared() == Verdict([], [], [])
    assert (told.memory.late, told.memory.orders[told.kept].key) == (1, "kept")
    del told.memory.orders[told.kept]
    told.memory.refused = [Refusal("order", order.cart, "another key")]
    assert len(told.compared().double) == 1


def test_two_keys_for_one_order_are_seen(told: Told) -> None:
    told.memory.placed("another", told.kept, {told.variant: 3})
    assert any("two keys were told the same order" in one for one in told.compared().violated)


def test_what_is_older_is_not_looked_at(told: Told) -> None:
    later = Memory(told.memory.opened, began=2**47)
    verdict = LOOP.run_until_complete(compare(told.db, later))
    assert (verdict.lost, verdict.double) == ([], [])

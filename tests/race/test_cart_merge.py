"""Log-ins at once that bring guests' carts.

Goal: what is in the carts afterwards is what was in them before, once. Method: four processes at a barrier.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.auth.support import EMAIL, PASSWORD
from tests.functions.carts.support import Guest, guest, lines_of
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 3


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def log_in(number: int, cart: Guest) -> Asking:
    body = {"email": f"{number}-{EMAIL}", "password": PASSWORD}
    return Asking("functions.auth.log_in", "/auth/log-in", body=body, headers={"x-cart-token": cart.token})


def left(shop: Shop, user: str) -> list[tuple[str, int]]:
    return shop.rows(
        "SELECT i.variant_id, i.quantity FROM carts c JOIN cart_items i ON i.cart_id = c.id WHERE c.user_id = ?"
        " ORDER BY i.variant_id", user,
    )  # fmt: skip


@pytest.mark.parametrize("has_one", [False, True])
def test_log_ins_with_one_guests_cart_merge_it_once(shop: Shop, racers: Racers, has_one: bool) -> None:
    for number in range(ROUNDS):
        user = shop.user("customer", email=f"{number}-{EMAIL}", password=PASSWORD)
        variant = shop.variant()
        if has_one:
            shop.post("/carts", {"items": lines_of({variant: 3})}, token=shop.session(user))
        answers = racers.race(shop.url, [log_in(number, guest_cart := guest(shop, {variant: 2}))] * 4)
        assert tally(answers) == {(200, None): 4}
        assert left(shop, user) == [(variant, 5 if has_one else 2)]
        assert shop.one("SELECT count(*) FROM cart_items WHERE cart_id = ?", guest_cart.id) == (not has_one)
    shop.checked()


def test_carts_of_several_guests_all_become_the_persons(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        user = shop.user("customer", email=f"{number}-{EMAIL}", password=PASSWORD)
        both, single = sorted([shop.variant(), shop.variant()])
        carts = [guest(shop, {both: 1}), guest(shop, {both: 10, single: 1}), guest(shop, {both: 100})]
        answers = racers.race(shop.url, [log_in(number, cart) for cart in carts])
        assert tally(answers) == {(200, None): 3}
        assert left(shop, user) == [(both, 111), (single, 1)]
    shop.checked()

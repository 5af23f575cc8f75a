"""Two or more change one cart, or check it out.

Goal: no addition is lost, a cart becomes one order, and what was ordered is what was in it. Method: four processes on
one file wait at a barrier, or one server is asked at once; afterwards rows are counted.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking, Told
from tests.functions.carts.support import Guest, guest, stock
from tests.functions.stock.support import held
from tests.race.racers import Racers, tally
from tests.race.serving import served
from tests.shop import Shop

ROUNDS = 5


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def add(cart: Guest, variant: str, quantity: int = 1, headers: dict[str, str] | None = None) -> Asking:
    return Asking(
        "functions.carts.add_cart_item",
        f"{cart.path}/items",
        body={"variant_id": variant, "quantity": quantity},
        headers={"x-cart-token": cart.token, **(headers or {})},
    )


def check_out(cart: Guest, key: str) -> Asking:
    headers = {"x-cart-token": cart.token, "idempotency-key": key}
    return Asking("functions.checkout", "/checkout", body=cart.shop.checkout_body(cart_id=cart.id), headers=headers)


def delete(cart: Guest) -> Asking:
    return Asking("functions.carts.delete_cart", cart.path, "DELETE", headers={"x-cart-token": cart.token})


def all_added(cart: Guest, answers: list[Told], variant: str) -> None:
    """Every addition counts, and each answer tells a moment of the cart that was: its version and pieces rise
    together.
    """
    assert tally(answers) == {(201, None): len(answers)}
    told = sorted((answer.body["version"], answer.body["items"][0]["quantity"]) for answer in answers)
    assert told == [(number + 2, number + 1) for number in range(len(answers))]
    assert {answer.headers["etag"] for answer in answers} == {f'"{version}"' for version, _ in told}
    assert cart.quantities() == {variant: len(answers)}


@pytest.mark.parametrize("additions", [2, 40])
def test_additions_at_once_lose_nothing(shop: Shop, racers: Racers, additions: int) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant()
        cart = guest(shop)
        all_added(cart, racers.race(shop.url, [add(cart, variant) for _ in range(additions)]), variant)


def test_additions_at_once_through_one_server_lose_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant()
    cart = guest(shop)
    all_added(cart, served([add(cart, variant) for _ in range(40)], monkeypatch), variant)


def test_additions_at_once_stop_at_the_limit(shop: Shop, racers: Racers) -> None:
    variant = shop.variant()
    cart = guest(shop, {variant: 9_995})
    answers = racers.race(shop.url, [add(cart, variant) for _ in range(8)])
    assert sum(answer.status == 201 for answer in answers) == 5
    assert {answer.code for answer in answers if answer.status != 201} <= {"invalid", "busy"}
    assert cart.quantities() == {variant: 10_000}


def test_one_click_added_twenty_times_counts_once(shop: Shop, racers: Racers) -> None:
    variant = shop.variant()
    cart = guest(shop)
    click = add(cart, variant, 2, headers={"idempotency-key": "key"})
    answers = racers.race(shop.url, [click] * 20)
    assert tally(answers) == {(201, None): 20}
    assert all(answer.body == answers[0].body for answer in answers)
    assert all(answer.headers["etag"] == '"2"' for answer in answers)
    assert cart.quantities() == {variant: 2}


def test_of_changes_that_name_a_version_one_wins(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        variant = shop.variant()
        cart = guest(shop)
        answers = racers.race(shop.url, [add(cart, variant, headers={"if-match": '"1"'}) for _ in range(8)])
        assert tally(answers) == {(201, None): 1, (412, "stale_version"): 7}
        assert cart.quantities() == {variant: 1}


def test_two_checkouts_of_one_cart_place_one_order(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=10)
        cart = guest(shop, {variant: 3})
        answers = racers.race(shop.url, [check_out(cart, f"{number}-{buyer}") for buyer in range(8)])
        assert tally(answers) == {(201, None): 1, (409, "cart_not_active"): 7}
        assert shop.one("SELECT count(*) FROM orders WHERE cart_id = ?", cart.id) == 1
        assert stock(shop, variant) == (7, 0, 0)
    shop.checked()


def test_a_hold_is_consumed_once(shop: Shop, racers: Racers) -> None:
    for number in range(ROUNDS):
        variant = shop.variant(stock=3)
        cart = guest(shop, {variant: 3})
        held(shop, variant, 3, cart_id=cart.id)
        rivals = [
            Asking(
                "functions.checkout", "/checkout", body=shop.checkout_body({variant: 1}),
                headers={"idempotency-key": f"rival-{number}-{one}"},
            )
            for one in range(4)
        ]  # fmt: skip
        answers = racers.race(shop.url, [*rivals, check_out(cart, f"{number}-a"), check_out(cart, f"{number}-b")])
        assert tally(answers[:4]) == {(409, "insufficient_stock"): 4}
        assert tally(answers[4:]) == {(201, None): 1, (409, "cart_not_active"): 1}
        assert stock(shop, variant) == (0, 0, 0)
    shop.checked()


def test_what_is_added_during_a_checkout_is_ordered_or_refused(shop: Shop, racers: Racers) -> None:
    """Never in the cart, accepted, and not in the order."""
    for number in range(2 * ROUNDS):
        first, second = shop.variant(), shop.variant()
        cart = guest(shop, {first: 1})
        added, ordered = racers.race(shop.url, [add(cart, second), check_out(cart, f"key-{number}")])
        assert (ordered.status, added.code) in ((201, None), (201, "cart_not_active"))
        items = {item["variant_id"]: item["quantity"] for item in ordered.body["items"]}
        assert items == ({first: 1, second: 1} if added.status == 201 else {first: 1})
        assert items == cart.quantities()
    shop.checked()


def test_a_cart_is_deleted_or_ordered(shop: Shop, racers: Racers) -> None:
    for number in range(2 * ROUNDS):
        variant = shop.variant(stock=5)
        cart = guest(shop, {variant: 1})
        held(shop, variant, 2, cart_id=cart.id)
        deleted, ordered = racers.race(shop.url, [delete(cart), check_out(cart, f"key-{number}")])
        assert ((deleted.status, deleted.code), (ordered.status, ordered.code)) in (
            ((204, None), (404, "cart_not_found")),
            ((409, "cart_not_active"), (201, None)),
        )
        assert stock(shop, variant) == ((4, 0, 0) if ordered.status == 201 else (5, 0, 0))
    shop.checked()


def test_a_cart_is_deleted_once(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        cart = guest(shop, {shop.variant(): 1})
        assert tally(racers.race(shop.url, [delete(cart)] * 8)) == {(204, None): 1, (404, "cart_not_found"): 7}

"""N buyers want more than there is.

Goal: exactly what there is gets sold, nobody gets half an order, and each who gets none is told which lines are short.
Method: buyers with five-line carts that overlap, spread over four processes on one file, or asked of one server at
once; afterwards rows are counted.
"""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from proof.asking import Asking, Told
from tests.functions.carts.support import stock
from tests.race.racers import Racers, tally
from tests.race.serving import served
from tests.shop import Shop

BUYERS = 40
PIECES = 8


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def buyers(shop: Shop, carts: list[dict[str, int]]) -> list[Asking]:
    return [
        Asking(
            "functions.checkout",
            "/checkout",
            body=shop.checkout_body(lines),
            headers={"idempotency-key": f"buyer-{number}-{random.random()}"},
        )
        for number, lines in enumerate(carts)
    ]


def sold_exactly(shop: Shop, carts: list[dict[str, int]], answers: list[Told], placed: int) -> None:
    """`placed` buyers have a whole order each, the others none and were told why; stock and moves say the same."""
    assert tally(answers) == {(201, None): placed, (409, "insufficient_stock"): len(carts) - placed}
    sold: Counter[str] = Counter()
    for lines, answer in zip(carts, answers, strict=True):
        if answer.status == 201:
            assert {item["variant_id"]: item["quantity"] for item in answer.body["items"]} == lines
            sold.update(lines)
        else:
            short = answer.body["lines"]
            assert short and all(line["available"] < line["requested"] == lines[line["variant_id"]] for line in short)
    assert shop.one("SELECT count(*) FROM orders") == placed
    assert shop.one("SELECT count(*) FROM order_items") == sum(
        len(lines) for lines, answer in zip(carts, answers, strict=True) if answer.status == 201
    )
    for variant, opened, left in shop.rows(
        "SELECT i.variant_id, m.delta, i.stock FROM inventory i JOIN stock_moves m USING (variant_id) "
        "WHERE m.reason = 'adjustment'"
    ):
        assert left == opened - sold[variant]
        moved = "SELECT coalesce(-sum(delta), 0) FROM stock_moves WHERE variant_id = ? AND reason = 'sale'"
        assert shop.one(moved, variant) == sold[variant]
    shop.checked()


@pytest.mark.parametrize("pieces", [1, PIECES])
def test_the_last_pieces_are_sold_once(shop: Shop, racers: Racers, pieces: int) -> None:
    variant = shop.variant(stock=pieces)
    carts = [{variant: 1}] * BUYERS
    sold_exactly(shop, carts, racers.race(shop.url, buyers(shop, carts)), pieces)
    assert stock(shop, variant) == (0, 0, 0)


def test_overlapping_carts_share_one_scarce_article_exactly(shop: Shop, racers: Racers) -> None:
    """Each cart has the scarce article and four of seven others, in an order of its own."""
    scarce, plenty = shop.variant(stock=PIECES), [shop.variant(stock=1_000) for _ in range(7)]
    carts = []
    for number in range(BUYERS):
        lines = [(scarce, 1), *((plenty[(number + step) % 7], 1 + step) for step in range(4))]
        random.Random(number).shuffle(lines)
        carts.append(dict(lines))
    sold_exactly(shop, carts, racers.race(shop.url, buyers(shop, carts)), PIECES)


def test_carts_that_are_scarce_everywhere_sell_no_piece_twice(shop: Shop, racers: Racers) -> None:
    """Which buyers win depends on who comes first; whoever does, nothing is sold twice and no winner is left out."""
    variants = [shop.variant(stock=PIECES) for _ in range(8)]
    carts = [{variants[(number * 3 + step) % 8]: 1 for step in range(5)} for number in range(BUYERS)]
    answers = racers.race(shop.url, buyers(shop, carts))
    placed = sum(answer.status == 201 for answer in answers)
    assert placed >= PIECES
    sold_exactly(shop, carts, answers, placed)
    left = dict(shop.rows("SELECT variant_id, stock FROM inventory"))
    for lines, answer in zip(carts, answers, strict=True):
        assert answer.status == 201 or any(left[variant] < 1 for variant in lines), "refused what could be sold"


def test_one_server_sells_the_last_pieces_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    scarce, plenty = shop.variant(stock=PIECES), [shop.variant(stock=1_000) for _ in range(7)]
    carts = [{scarce: 1, **{plenty[(number + step) % 7]: 2 for step in range(4)}} for number in range(BUYERS)]
    sold_exactly(shop, carts, served(buyers(shop, carts), monkeypatch), PIECES)


@pytest.mark.parametrize("how", ["processes", "server"])
def test_a_continued_article_is_never_short(
    shop: Shop, racers: Racers, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Who read stock that others took meanwhile runs again, and is owed the rest."""
    variant = shop.variant(stock=5, policy="CONTINUE")
    asked = buyers(shop, [{variant: 2}] * BUYERS)
    answers = racers.race(shop.url, asked) if how == "processes" else served(asked, monkeypatch)
    assert tally(answers) == {(201, None): BUYERS}
    assert stock(shop, variant) == (0, 0, 2 * BUYERS - 5)
    assert shop.one("SELECT sum(backordered_quantity) FROM order_items") == 2 * BUYERS - 5
    shop.checked()

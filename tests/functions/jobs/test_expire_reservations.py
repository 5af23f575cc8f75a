"""The job that ends the holds whose time is over."""

import asyncio
from typing import Any

import pytest

from domain.stock import releases
from functions.jobs import expire_reservations as module
from tests.functions.jobs.support import run
from tests.functions.stock.support import held, moves_of, stock_of
from tests.shop import Shop


def test_puts_the_pieces_of_expired_holds_back(shop: Shop) -> None:
    variant, other = shop.variant(stock=10), shop.variant(stock=10)
    first, second = held(shop, variant, 2, 10), held(shop, variant, 3, 20)
    third, kept = held(shop, other, 4, 10), held(shop, other, 1, 100)
    shop.clock(30)
    before = [stock_of(shop, one) | {"updated_at": None} for one in (variant, other)]
    assert run("expire_reservations") == {
        "job": "expire_reservations", "expired": 3, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert [stock_of(shop, one) | {"updated_at": None} for one in (variant, other)] == before
    assert dict(shop.rows("SELECT id, status FROM reservations")) == {
        first["id"]: "EXPIRED", second["id"]: "EXPIRED", third["id"]: "EXPIRED", kept["id"]: "HELD",
    }  # fmt: skip
    assert moves_of(shop, variant)[2:] == [("release", 2, 7), ("release", 3, 10)]
    assert shop.rows("SELECT DISTINCT actor FROM stock_moves WHERE reason = 'release'") == [
        ("job:expire_reservations",)
    ]
    shop.checked()


def test_changes_nothing_when_nothing_is_due(shop: Shop) -> None:
    held(shop, shop.variant(), 1, 100)
    with shop.unchanged():
        assert run("expire_reservations")["expired"] == 0


def test_works_in_bounded_rounds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 3)
    variant = shop.variant(stock=20)
    for _ in range(8):
        held(shop, variant, 1, 10)
    shop.clock(10)
    answer = run("expire_reservations")
    assert (answer["expired"], answer["rounds"], answer["finished"]) == (8, 4, True)
    assert stock_of(shop, variant)["reserved"] == 0
    shop.checked()


def test_a_hold_that_breaks_a_rule_stops_no_other(shop: Shop) -> None:
    variants = [shop.variant(stock=10) for _ in range(3)]
    holds = [held(shop, variant, 2, 10) for variant in variants]
    shop.execute("UPDATE inventory SET reserved = 0 WHERE variant_id = ?", variants[1])  # the books are wrong here
    shop.clock(10)
    answer = run("expire_reservations")
    assert (answer["expired"], answer["failed"], answer["finished"]) == (2, 1, True)
    assert [shop.one("SELECT status FROM reservations WHERE id = ?", hold["id"]) for hold in holds] == [
        "EXPIRED", "HELD", "EXPIRED",
    ]  # fmt: skip
    shop.execute("UPDATE inventory SET reserved = 2 WHERE variant_id = ?", variants[1])
    assert run("expire_reservations")["expired"] == 1
    shop.checked()


def test_reads_again_when_a_buyer_was_faster(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = shop.variant(stock=10)
    taken, left = held(shop, variant, 2, 10), held(shop, variant, 3, 20)
    shop.clock(30)
    waiting = [taken["id"]]

    def slow(holds: Any, move_ids: Any) -> Any:
        if waiting:
            hold = waiting.pop()
            shop.execute("UPDATE reservations SET status = 'EXPIRED' WHERE id = ?", hold)
            shop.execute("UPDATE inventory SET stock = stock + 2, reserved = reserved - 2")
            shop.execute(
                "INSERT INTO stock_moves SELECT ?, variant_id, location_id, NULL, 2, 'release', 7, 'buyer', NULL, ? "
                "FROM inventory", shop.ids("move")[0], shop.now,
            )  # fmt: skip
        return releases(holds, move_ids)

    monkeypatch.setattr(module, "releases", slow)
    answer = run("expire_reservations")
    assert (answer["expired"], answer["failed"]) == (1, 0)
    assert shop.one("SELECT count(*) FROM stock_moves WHERE note = ?", left["id"]) == 2
    shop.checked()


def test_two_runs_at_once_do_no_harm(shop: Shop) -> None:
    variant = shop.variant(stock=50)
    for number in range(20):
        held(shop, variant, 1, 10 + number)
    shop.clock(60)

    async def both() -> list[dict[str, Any]]:
        return list(await asyncio.gather(module.expire_reservations.run(), module.expire_reservations.run()))

    answers = asyncio.get_event_loop().run_until_complete(both())
    assert sum(answer["expired"] for answer in answers) == 20
    assert shop.one("SELECT count(*) FROM stock_moves WHERE reason = 'release'") == 20
    shop.checked()

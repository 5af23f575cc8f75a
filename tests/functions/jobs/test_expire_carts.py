"""The job that abandons the carts whose time is over."""

from typing import Any

import pytest

from domain.stock import releases
from functions.jobs import expire_carts as module
from tests.functions.jobs.support import run
from tests.functions.stock.support import cart, held, later, moves_of, stock_of
from tests.shop import LOCATION, Shop


def statuses(shop: Shop) -> dict[str, str]:
    return {**dict(shop.rows("SELECT id, status FROM carts")), **dict(shop.rows("SELECT id, status FROM reservations"))}


def test_abandons_expired_carts_and_releases_what_is_held_for_them(shop: Shop) -> None:
    variant = shop.variant(stock=20)
    old, new, done = cart(shop, 60), cart(shop, 600), cart(shop, 60, "ABANDONED")
    living, expired = held(shop, variant, 2, 900, cart_id=old), held(shop, variant, 3, 30, cart_id=old)
    others, nobodys = held(shop, variant, 4, 900, cart_id=new), held(shop, variant, 1, 900)
    shop.clock(61)
    assert run("expire_carts") == {
        "job": "expire_carts", "abandoned": 1, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert statuses(shop) == {
        old: "ABANDONED", new: "ACTIVE", done: "ABANDONED", living["id"]: "RELEASED", expired["id"]: "EXPIRED",
        others["id"]: "HELD", nobodys["id"]: "HELD",
    }  # fmt: skip
    assert shop.one("SELECT version FROM carts WHERE id = ?", old) == 2
    assert moves_of(shop, variant)[4:] == [("release", 3, 13), ("release", 2, 15)]
    assert stock_of(shop, variant)["reserved"] == 5
    shop.checked()
    with shop.unchanged():
        assert run("expire_carts")["abandoned"] == 0


def test_works_in_bounded_rounds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    variant = shop.variant(stock=20)
    for _ in range(5):
        held(shop, variant, 1, 900, cart_id=cart(shop, 60))
    shop.clock(60)
    answer = run("expire_carts")
    assert (answer["abandoned"], answer["rounds"], answer["finished"]) == (5, 4, True)
    assert stock_of(shop, variant)["available"] == 20
    shop.checked()


def hold_for(shop: Shop, variant: str, quantity: int, cart_id: str) -> None:
    """What POST /stock/reservations writes, on another connection."""
    now = shop.now
    shop.execute(
        "UPDATE inventory SET stock = stock - ?, reserved = reserved + ? WHERE variant_id = ?",
        quantity, quantity, variant,
    )  # fmt: skip
    shop.insert(
        "reservations", id=shop.ids("reservation")[0], variant_id=variant, location_id=LOCATION, cart_id=cart_id,
        quantity=quantity, status="HELD", expires_at=later(shop, 900), created_at=now, updated_at=now,
    )  # fmt: skip
    left = shop.one("SELECT stock FROM inventory WHERE variant_id = ?", variant)
    shop.insert(
        "stock_moves", id=shop.ids("move")[0], variant_id=variant, location_id=LOCATION, delta=-quantity,
        reason="reservation", balance_after=left, actor="test", created_at=now,
    )  # fmt: skip


@pytest.mark.parametrize("meanwhile", ["prolonged", "held"])
def test_reads_again_when_the_cart_has_changed(shop: Shop, monkeypatch: pytest.MonkeyPatch, meanwhile: str) -> None:
    variant = shop.variant(stock=20)
    old = cart(shop, 60)
    held(shop, variant, 1, 900, cart_id=old)
    shop.clock(61)
    waiting = [meanwhile]

    def slow(holds: Any, move_ids: Any) -> Any:
        what = waiting.pop() if waiting else ""
        if what == "prolonged":
            shop.execute("UPDATE carts SET expires_at = '2999-01-01T00:00:00.000Z'")
        elif what == "held":
            hold_for(shop, variant, 2, old)
        return releases(holds, move_ids)

    monkeypatch.setattr(module, "releases", slow)
    answer = run("expire_carts")
    assert answer["failed"] == 0
    if meanwhile == "prolonged":
        assert (answer["abandoned"], shop.one("SELECT status FROM carts")) == (0, "ACTIVE")
        assert stock_of(shop, variant)["reserved"] == 1
    else:
        assert (answer["abandoned"], shop.one("SELECT status FROM carts")) == (1, "ABANDONED")
        assert stock_of(shop, variant)["reserved"] == 0
    shop.checked()

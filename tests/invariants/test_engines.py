"""`check` on the engine of ENGINE: a filled shop holds, a planted defect is found, and what is not answered is told."""

from __future__ import annotations

from db.helper import connect
from db.invariants import DIRECTORY, Finding, check, read
from tests.engines.homes import ENGINE
from tests.invariants.test_orders import sound
from tests.shop import LOOP, Shop


def asked(shop: Shop) -> list[Finding]:
    async def ask() -> list[Finding]:
        db = await connect(shop.url)
        try:
            return await check(db, deep=True)
        finally:
            await db.close()

    return LOOP.run_until_complete(ask())


def test_a_filled_shop_holds_as_far_as_the_engine_answers(shop: Shop) -> None:
    sound(shop)
    findings = asked(shop)
    assert [one.name for one in findings] == [one.name for one in [*read(), *read(DIRECTORY / "deep")]]
    assert {one.name: one.rows for one in findings if one.rows} == {}
    unasked = {one.name[:2]: one.not_asked for one in findings if one.not_asked is not None}
    if ENGINE == "d1":
        assert unasked.keys() == {"71"}
        assert "not authorized" in str(unasked["71"])
    else:
        assert unasked == {}
    assert all(0 <= one.seconds < 60 for one in findings)
    assert any(one.seconds > 0 for one in findings), "the engine's clock stands still"


def test_defects_are_found(shop: Shop) -> None:
    sound(shop)
    for trigger in ("stock_moves_append_only_update", "order_events_append_only_delete"):
        shop.execute(f"DROP TRIGGER {trigger}")
    shop.execute("DROP INDEX order_items_by_product")
    shop.execute("UPDATE stock_moves SET balance_after = balance_after + 1 WHERE reason = 'return'")
    shop.execute("DELETE FROM order_events WHERE from_status IS NULL")
    found = {one.name[:2]: len(one.rows) for one in asked(shop) if one.rows}
    assert found == {"02": 1, "27": shop.one("SELECT count(*) FROM orders"), "60": 1, "61": 2}

"""The job that chains the audit log."""

from __future__ import annotations

from typing import Any

import pytest

from api.trail import link_hash
from functions.jobs import seal_audit_logs as module
from tests.functions.jobs.support import run
from tests.functions.stock.support import adjust
from tests.shop import Shop


def adjusted(shop: Shop, times: int) -> None:
    variant = shop.variant(stock=100)
    for _ in range(times):
        assert adjust(shop, variant, 1).status == 201


def links(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("SELECT sequence, id, hash FROM audit_links ORDER BY sequence")


def chained(shop: Shop) -> list[tuple[Any, ...]]:
    """What the links must be, made from the rows."""
    found, before = [], ""
    for sequence, row_id, content in shop.rows("SELECT sequence, id, content_hash FROM audit_logs ORDER BY sequence"):
        before = link_hash(before, sequence, content)
        found.append((sequence, row_id, before))
    return found


def test_chains_each_row_once(shop: Shop) -> None:
    with shop.unchanged():
        assert run("seal_audit_logs")["sealed"] == 0
    adjusted(shop, 3)
    assert run("seal_audit_logs") == {
        "job": "seal_audit_logs", "sealed": 3, "gap": 0, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert len(links(shop)) == 3
    assert links(shop) == chained(shop)
    with shop.unchanged():
        assert run("seal_audit_logs")["sealed"] == 0
    adjusted(shop, 2)
    assert run("seal_audit_logs")["sealed"] == 2
    assert links(shop) == chained(shop)
    shop.checked()


def test_works_in_bounded_rounds(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    adjusted(shop, 5)
    answer = run("seal_audit_logs")
    assert (answer["sealed"], answer["rounds"], answer["finished"]) == (5, 4, True)
    assert links(shop) == chained(shop)


def test_stops_before_a_row_that_is_missing(shop: Shop) -> None:
    adjusted(shop, 4)
    shop.execute("DROP TRIGGER audit_logs_append_only_delete")
    shop.execute("DELETE FROM audit_logs WHERE sequence = 3")
    answer = run("seal_audit_logs")
    assert (answer["sealed"], answer["gap"], answer["finished"]) == (2, 1, True)
    assert [sequence for sequence, _, _ in links(shop)] == [1, 2]


def test_a_link_is_history(shop: Shop) -> None:
    adjusted(shop, 2)
    run("seal_audit_logs")
    for sql in (
        "UPDATE audit_links SET hash = hash WHERE sequence = 1",
        "DELETE FROM audit_links",
        "INSERT OR REPLACE INTO audit_links SELECT * FROM audit_links WHERE sequence = 1",
    ):
        with shop.unchanged(), pytest.raises(Exception, match="append_only"):
            shop.execute(sql)

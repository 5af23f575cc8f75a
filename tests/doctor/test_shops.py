"""The planted faults of each shop are all named, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from doctor.finding import Severity
from tests.cli.terminal import Terminal
from tests.doctor import music_shop, older_shop
from tests.doctor.making import examined, keys, make, state


@pytest.mark.parametrize("shop", [music_shop, older_shop], ids=["music", "older"])
@pytest.mark.parametrize("wal", [False, True], ids=["journal", "wal"])
def test_all_that_was_planted_is_named_and_nothing_else(tmp_path: Path, shop: ModuleType, wal: bool) -> None:
    path = make(tmp_path / "shop.db", shop, wal=wal)
    before = state(tmp_path)
    assert keys(examined(path)) == shop.PLANTED | shop.ON_A_FILE
    assert state(tmp_path) == before


def test_the_numbers_of_the_older_shop(tmp_path: Path) -> None:
    found = {one.key: one for one in examined(make(tmp_path / "shop.db", older_shop)).findings}
    said = {
        ("plain_password", "users.password"): "49 of 50 values can be read.",
        ("weak_password_hash", "users.password"): "1 of 50 values are a bare digest.",
        ("foreign_key_violation", "orders(user_id)"): "2 rows whose users is not there, rowids 3, 4.",
        ("foreign_key_violation", "order_items(product_id)"): "1 row whose products is not there, rowids 301.",
        ("negative_stock", "products.stock"): "1 row below zero.",
        ("wrong_type", "order_items.quantity"): "1 of 302 rows hold no INTEGER.",
        ("no_primary_key", "logs"): "30 rows.",
    }
    assert {key: found[key].what for key in said} == said
    assert found["foreign_keys_per_connection", "database"].severity is Severity.HIGH


def test_our_own_shop_has_one_index_that_document_004_asks_for(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    terminal.tally("seed", "demo")
    found = examined(terminal.file)
    assert keys(found) == OWN | {("foreign_keys_per_connection", "database")}
    assert not found.must_act


OWN = {("duplicate_index", "idx_analytics_daily_date"), ("looks_like_foreign_key", "analytics_events.session_id")}

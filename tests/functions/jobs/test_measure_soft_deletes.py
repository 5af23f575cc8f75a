"""The job that counts what was deleted softly."""

from typing import Any

import pytest

from api import telemetry
from functions.jobs import measure_soft_deletes as module
from tests.functions.jobs.support import run
from tests.shop import Shop

# What a row of each table needs besides its id and times.
NEEDED: dict[str, dict[str, Any]] = {
    "categories": {"name": "x", "level": 0},
    "collections": {"name": "x"},
    "media": {"type": "IMAGE", "provider": "LOCAL", "url": "x", "mime_type": "image/png"},
    "producers": {"name": "x"},
    "products": {"title": "x", "status": "ACTIVE", "price": 1, "currency": "EUR"},
    "sell_submissions": {"contact": "{}"},
    "users": {},
    "variants": {"title": "x", "price": 1},
}


def row(table: str, name: str, deleted_at: str | None) -> dict[str, Any]:
    """A row of `table`, with what has to differ from row to row."""
    own: dict[str, dict[str, Any]] = {
        "categories": {"slug": name, "path": f"/{name}/"},
        "media": {"asset_id": name},
        "sell_submissions": {},
        "users": {"email": f"{name}@example.com"},
        "variants": {"sku": name, "product_id": "product-0"},
    }
    times = {"created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"}
    return {"id": name, **NEEDED[table], **own.get(table, {"slug": name}), **times, "deleted_at": deleted_at}


def fill(shop: Shop, table: str, *, live: int, old: int, new: int) -> None:
    """Rows that were not deleted, that were deleted long ago, and just now."""
    times = [None] * live + ["2026-01-02T00:00:00.000Z"] * old + [shop.now] * new
    for number, deleted_at in enumerate(times):
        shop.insert(table, **row(table, f"{table[:-1]}-{number}", deleted_at))


def test_counts_every_table_that_deletes_softly(shop: Shop) -> None:
    with_time = shop.rows(
        "SELECT t.name FROM pragma_table_list t, pragma_table_info(t.name) c "
        "WHERE t.type = 'table' AND substr(t.name, 1, 4) <> '_cf_' AND c.name = 'deleted_at' ORDER BY t.name"
    )
    assert [name for (name,) in with_time] == list(module.TABLES) == sorted(NEEDED)
    for number, table in enumerate(module.TABLES):
        fill(shop, table, live=2, old=number, new=1 + number % 2)
    with shop.unchanged():
        answer = run("measure_soft_deletes")
    assert answer == {
        "job": "measure_soft_deletes", "deleted": 40, "last_day": 12, "failed": 0, "rounds": 1, "finished": True,
    }  # fmt: skip
    last_day = {table: 1 + number % 2 for number, table in enumerate(module.TABLES)}
    assert last_day == telemetry.SOFT_DELETED_LAST_DAY
    assert {table: old + last_day[table] for old, table in enumerate(module.TABLES)} == telemetry.SOFT_DELETED


def test_says_that_there_is_none(shop: Shop) -> None:
    shop.variant()
    with shop.unchanged():
        assert run("measure_soft_deletes")["deleted"] == 0
    assert {*telemetry.SOFT_DELETED.values(), *telemetry.SOFT_DELETED_LAST_DAY.values()} == {0}


def test_counts_what_the_shop_deletes(shop: Shop) -> None:
    variant = shop.variant()
    product = shop.one("SELECT product_id FROM variants WHERE id = ?", variant)
    assert shop.delete(f"/products/{product}", api_key=shop.admin, if_match=1).status == 204
    run("measure_soft_deletes")
    assert (telemetry.SOFT_DELETED["products"], telemetry.SOFT_DELETED["variants"]) == (1, 1)
    shop.clock(86_401)
    run("measure_soft_deletes")
    assert (telemetry.SOFT_DELETED["products"], telemetry.SOFT_DELETED_LAST_DAY["products"]) == (1, 0)
    shop.checked()


def test_counts_so_many_at_most_and_the_newest_of_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COUNTED_MAX", 4)
    fill(shop, "users", live=1, old=5, new=3)
    answer = run("measure_soft_deletes")
    assert (answer["deleted"], answer["last_day"]) == (4, 3)


@pytest.mark.file_engine
def test_walks_no_row_that_was_not_deleted(shop: Shop) -> None:
    """Counted in steps of the virtual machine: 20 000 live rows cost what none costs, give or take its start."""
    statement = module.DELETED["users"](since="", most=module.COUNTED_MAX)

    def steps() -> int:
        counted = 0

        def step() -> int:
            nonlocal counted
            counted += 1
            return 0

        shop.raw.set_progress_handler(step, 1)
        shop.raw.execute(statement.sql.text, statement.values).fetchall()
        shop.raw.set_progress_handler(None, 1)
        return counted

    before = steps()
    shop.raw.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO users (id, email, created_at, updated_at) SELECT 'u' || i, i || '@example.com', 'x', 'x' FROM n"
    )
    assert steps() <= before + 5
    shop.raw.execute("UPDATE users SET deleted_at = 'x' WHERE id IN ('u1', 'u2')")
    assert before + 5 < steps() < before + 50

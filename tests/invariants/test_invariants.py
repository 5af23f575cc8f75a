"""Each invariant sees its own defect, planted past the schema, and no other speaks up."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from db.invariants import DIRECTORY, read
from tests.functions.jobs.support import run
from tests.functions.stock.support import adjust, held
from tests.shop import LOCATION, Shop

TIME = "2026-11-01T08:00:00.000Z"
pytestmark = pytest.mark.file_engine
"""A defect goes past CHECKs, triggers and STRICT by PRAGMAs of a connection, which only a file takes."""


@dataclass(frozen=True)
class Sold:
    """A shop in which everything has happened once, and a connection that nothing holds back."""

    shop: Shop
    raw: sqlite3.Connection
    variant: str
    owed: str
    order: str

    def plant(self, sql: str, *values: object) -> None:
        changed = self.raw.execute(sql, values)
        assert changed.rowcount != 0, "the defect was not planted"


@pytest.fixture
def sold(shop: Shop) -> Iterator[Sold]:
    variant, owed = shop.variant(stock=50), shop.variant(stock=1, policy="CONTINUE")
    order = shop.order({variant: 2, owed: 3})
    held(shop, variant, 4)
    adjust(shop, variant, 5, "receipt")
    shop.post("/events", {"events": [{"event_type": "a", "timestamp": TIME, "session_id": "s"}] * 2})
    run("roll_up_analytics")
    shop.user("admin")
    times = {"created_at": shop.now, "updated_at": shop.now}
    for number, parent in ((1, None), (2, 1), (3, 2)):
        path = "/" + "".join(f"category_{one}/" for one in range(1, number + 1))
        shop.insert(
            "categories", id=f"category_{number}", name="c", slug=f"c{number}", level=number - 1, path=path,
            parent_id=parent and f"category_{parent}", **times,
        )  # fmt: skip
    shop.checked()
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_schema WHERE name IN ('variants_one_primary', 'variants_sku_once', "
            "'products_slug_once', 'cart_items_variant_once', 'roles_name_once', 'addresses_one_default')"
        ).fetchall():
            raw.execute(f"DROP INDEX {name}")
        yield Sold(shop, raw, variant, owed, order["id"])


def speaking(shop: Shop) -> list[str]:
    """The numbers of the invariants that find something."""
    found = []
    for file in sorted(DIRECTORY.glob("*.sql")):
        # The triggers and six unique indexes are out of the way: what says so is asked elsewhere.
        if file.name[:2] not in ("61", "62") and shop.rows(file.read_text(encoding="utf-8").rstrip().rstrip(";")):
            found.append(file.name[:2])
    return found


def stock_without_a_move(sold: Sold) -> None:
    sold.plant("UPDATE inventory SET stock = stock - 1 WHERE variant_id = ?", sold.variant)


def stock_without_any_move(sold: Sold) -> None:
    sold.plant("DELETE FROM stock_moves WHERE variant_id = ?", sold.shop.variant(stock=3))


def a_wrong_balance(sold: Sold) -> None:
    sold.plant("UPDATE stock_moves SET balance_after = balance_after + 1 WHERE reason = 'receipt'")


def reserved_without_a_hold(sold: Sold) -> None:
    sold.plant("UPDATE inventory SET reserved = reserved + 1 WHERE variant_id = ?", sold.owed)


def a_hold_released_on_paper_only(sold: Sold) -> None:
    sold.plant("UPDATE reservations SET status = 'RELEASED'")


def owed_by_nobody(sold: Sold) -> None:
    sold.plant("UPDATE inventory SET backordered = backordered + 1 WHERE variant_id = ?", sold.variant)


def owed_and_forgotten(sold: Sold) -> None:
    sold.plant("UPDATE inventory SET backordered = 0 WHERE variant_id = ?", sold.owed)


def a_day_counted_wrongly(sold: Sold) -> None:
    sold.plant("UPDATE analytics_daily SET sessions = 2")


def a_day_counted_without_events(sold: Sold) -> None:
    sold.plant("INSERT INTO analytics_daily VALUES ('2026-11-02', 'a', 1, 0, 0, ?, ?)", TIME, TIME)


def a_day_not_counted(sold: Sold) -> None:
    sold.plant("DELETE FROM analytics_daily")


def an_event_that_nobody_counts(sold: Sold) -> None:
    sold.plant(
        "INSERT INTO analytics_events (id, event_type, timestamp, created_at) VALUES ('e', 'b', ?, ?)", TIME, TIME
    )


def a_category_below_itself(sold: Sold) -> None:
    sold.plant("UPDATE categories SET parent_id = 'category_3' WHERE id = 'category_1'")


def a_category_that_is_its_own_parent(sold: Sold) -> None:
    sold.plant("UPDATE categories SET parent_id = id WHERE id = 'category_3'")


def a_product_without_a_primary_variant(sold: Sold) -> None:
    sold.plant("UPDATE variants SET is_primary = 0 WHERE id = ?", sold.variant)


def a_product_with_two_primary_variants(sold: Sold) -> None:
    product = sold.shop.one("SELECT product_id FROM variants WHERE id = ?", sold.variant)
    second = sold.shop.variant(stock=1, product_id=product)
    sold.plant("UPDATE variants SET is_primary = 1 WHERE id = ?", second)


def a_product_whose_primary_variant_is_deleted(sold: Sold) -> None:
    alone = sold.shop.variant()  # never ordered: what was ordered is kept by another rule
    sold.plant("UPDATE variants SET deleted_at = ? WHERE id = ?", TIME, alone)


def a_row_that_refers_to_nothing(sold: Sold) -> None:
    sold.plant(
        "INSERT INTO product_categories VALUES ('product_0', 'category_1', 0, ?, ?)", TIME, TIME
    )  # fmt: skip


def a_promise_without_its_order(sold: Sold) -> None:
    sold.plant("UPDATE idempotency_keys SET answer = json_set(answer, '$.id', 'order_0')")


def a_hold_that_outlived_a_sale(sold: Sold) -> None:
    sold.plant(
        "UPDATE reservations SET created_at = '2020-01-01T00:00:00.000Z', expires_at = '2020-01-02T00:00:00.000Z'"
    )


def a_variant_of_a_deleted_product(sold: Sold) -> None:
    alone = sold.shop.variant()
    sold.plant(
        "UPDATE products SET deleted_at = ? WHERE id = (SELECT product_id FROM variants WHERE id = ?)", TIME, alone
    )


def an_ordered_product_deleted(sold: Sold) -> None:
    product = sold.shop.one("SELECT product_id FROM variants WHERE id = ?", sold.variant)
    sold.plant("UPDATE products SET deleted_at = ? WHERE id = ?", TIME, product)
    sold.plant("UPDATE variants SET deleted_at = ? WHERE product_id = ?", TIME, product)


def a_picture_of_nothing(sold: Sold) -> None:
    sold.plant(
        "INSERT INTO media (id, asset_id, type, provider, url, mime_type, created_at, updated_at) "
        "VALUES ('m', 'a', 'IMAGE', 'LOCAL', '/a', 'image/png', ?, ?)", TIME, TIME
    )  # fmt: skip
    sold.plant(
        "INSERT INTO media_links (media_id, entity, entity_id, created_at, updated_at) "
        "VALUES ('m', 'product', 'product_0', ?, ?)", TIME, TIME
    )  # fmt: skip


def an_article_number_twice(sold: Sold) -> None:
    sold.plant("UPDATE variants SET sku = 'SAME'")


def a_slug_twice(sold: Sold) -> None:
    sold.plant("UPDATE products SET slug = 'same'")


def an_article_on_two_lines(sold: Sold) -> None:
    end = "2999-01-01T00:00:00.000Z"
    sold.plant("INSERT INTO carts (id, expires_at, created_at, updated_at) VALUES ('c', ?, ?, ?)", end, TIME, TIME)
    for line in ("l1", "l2"):
        sold.plant("INSERT INTO cart_items VALUES (?, 'c', ?, 1, ?, ?)", line, sold.variant, TIME, TIME)


def a_move_replaced_by_its_key(sold: Sold) -> None:
    """Nothing in it changes but its place in the trail."""
    sold.plant(
        "INSERT OR REPLACE INTO stock_moves SELECT * FROM stock_moves WHERE reason = 'sale' AND variant_id = ?",
        sold.variant,
    )


def a_move_replaced_by_its_rowid(sold: Sold) -> None:
    sold.plant(
        "INSERT OR REPLACE INTO stock_moves "
        "(rowid, id, variant_id, location_id, delta, reason, balance_after, actor, created_at) "
        "SELECT rowid, 'move_0', variant_id, location_id, delta + 1, reason, balance_after + 1, actor, created_at "
        "FROM stock_moves WHERE reason = 'receipt'"
    )


def a_step_replaced_by_its_key(sold: Sold) -> None:
    sold.plant(
        "INSERT OR REPLACE INTO order_events (id, order_id, to_status, actor, created_at) "
        "SELECT id, order_id, 'PAID', actor, created_at FROM order_events WHERE order_id = ?", sold.order
    )  # fmt: skip


def a_step_replaced_by_its_rowid(sold: Sold) -> None:
    sold.plant(
        "INSERT OR REPLACE INTO order_events (rowid, id, order_id, from_status, to_status, actor, created_at) "
        "SELECT rowid, 'event_0', order_id, NULL, 'SHIPPED', actor, created_at FROM order_events "
        "WHERE order_id = ?", sold.order
    )  # fmt: skip


def loosened(sold: Sold, table: str, sql: str) -> None:
    """Plant what a STRICT table refuses, while it is not one; afterwards the schema is as it was."""
    with closing(sqlite3.connect(sold.shop.path, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        [(strict,)] = raw.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
        loose = re.sub(r"\) STRICT(, )?", ") ", strict)
        raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose, table))
    with closing(sqlite3.connect(sold.shop.path, isolation_level=None)) as raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        assert raw.execute(sql).rowcount != 0, "the defect was not planted"
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (strict, table))


def half_a_cent(sold: Sold) -> None:
    loosened(sold, "products", "UPDATE products SET price = price + 0.5")


def half_a_piece(sold: Sold) -> None:
    loosened(sold, "inventory", "UPDATE inventory SET low_stock_threshold = 1.5")


def a_role_twice(sold: Sold) -> None:
    sold.plant("UPDATE roles SET name = 'admin' WHERE name = 'staff'")


def two_default_addresses(sold: Sold) -> None:
    for number in (1, 2):
        sold.plant(
            "INSERT INTO addresses (id, user_id, full_name, line1, city, country, is_default, created_at, updated_at) "
            "SELECT ?, id, 'E', 'Ermou 1', 'Athens', 'GR', 1, ?, ? FROM users LIMIT 1", f"address_{number}", TIME, TIME
        )  # fmt: skip


def a_session_of_somebody_suspended(sold: Sold) -> None:
    sold.shop.session(sold.shop.user(status="SUSPENDED"))


def an_address_nowhere(sold: Sold) -> None:
    sold.plant(
        "INSERT INTO addresses (id, user_id, full_name, line1, city, country, is_default, created_at, updated_at) "
        "SELECT 'a', id, 'E', 'Ermou 1', 'Athens', 'Greece', 1, ?, ? FROM users LIMIT 1", TIME, TIME
    )  # fmt: skip


def an_administrator_suspended(sold: Sold) -> None:
    sold.plant("UPDATE users SET status = 'SUSPENDED'")


def an_audit_row_removed(sold: Sold) -> None:
    sold.plant("DELETE FROM audit_logs WHERE sequence = 1")


def an_audit_row_beside_the_counter(sold: Sold) -> None:
    sold.plant("UPDATE audit_counters SET count = count + 1")


def values(sql: str) -> Callable[[Sold], None]:
    def planted(sold: Sold) -> None:
        sold.plant(sql)

    planted.__name__ = sql.replace(" ", "_")[:60]
    return planted


DEFECTS: list[tuple[str, Callable[[Sold], None]]] = [
    ("01", stock_without_a_move),
    ("01", stock_without_any_move),
    ("02", a_wrong_balance),
    ("03", reserved_without_a_hold),
    ("03", a_hold_released_on_paper_only),
    ("04", owed_by_nobody),
    ("04", owed_and_forgotten),
    ("05", a_day_counted_wrongly),
    ("05", a_day_counted_without_events),
    ("05", a_day_not_counted),
    ("05", an_event_that_nobody_counts),
    ("06", a_category_below_itself),
    ("06", a_category_that_is_its_own_parent),
    ("07", a_product_without_a_primary_variant),
    ("07", a_product_with_two_primary_variants),
    ("07", a_product_whose_primary_variant_is_deleted),
    ("08", a_row_that_refers_to_nothing),
    ("09", a_promise_without_its_order),
    ("10", a_hold_that_outlived_a_sale),
    ("11", a_variant_of_a_deleted_product),
    ("12", an_ordered_product_deleted),
    ("13", a_picture_of_nothing),
    ("14", an_article_number_twice),
    ("15", a_slug_twice),
    ("16", an_article_on_two_lines),
    ("17", a_role_twice),
    ("18", two_default_addresses),
    ("46", a_session_of_somebody_suspended),
    ("44", values("UPDATE api_keys SET hash = 'sk_clear'")),
    ("63", an_address_nowhere),
    ("64", values(f"INSERT INTO security_events (id, type, created_at) VALUES ('s', 'Log In', '{TIME}')")),
    ("65", values(f"INSERT INTO recovery_codes "
                  f"VALUES ('abcde-fghij', (SELECT id FROM users), NULL, '{TIME}', '{TIME}')")),
    ("66", values(f"INSERT INTO users (id, email, password_hash, created_at, updated_at) "
                  f"VALUES ('u', 'a@b.cd', 'hunter2', '{TIME}', '{TIME}')")),
    ("19", an_administrator_suspended),
    ("67", an_audit_row_removed),
    ("67", an_audit_row_beside_the_counter),
    ("68", values(f"INSERT INTO oauth_accounts VALUES ('o', (SELECT id FROM users), 'myspace', '1', 'a@b.cd', '{TIME}',"
                  f" '{TIME}')")),
    ("69", values("UPDATE roles SET name = 'Chief' WHERE name = 'staff'")),
    ("50", values("UPDATE products SET attributes = '['")),
    ("51", values("INSERT INTO product_search_texts VALUES (1, (SELECT id FROM products), 'a', 'b', 'now', 'now')")),
    ("01", a_move_replaced_by_its_rowid),
    ("02", a_move_replaced_by_its_key),
    ("27", a_step_replaced_by_its_key),
    ("27", a_step_replaced_by_its_rowid),
    ("52", values("UPDATE inventory SET low_stock_threshold = -1")),
    ("53", values(f"INSERT INTO carts (id, version, expires_at, created_at, updated_at) "
                  f"VALUES ('c', 0, '2999-01-01T00:00:00.000Z', '{TIME}', '{TIME}')")),
    ("54", values("UPDATE orders SET metadata = '{'")),
    ("55", values("UPDATE api_keys SET scopes = '{}'")),
    ("56", values("UPDATE outbox SET attempts = -1")),
    ("57", values("UPDATE analytics_events SET created_at = '21.11.2026'")),
    ("58", half_a_cent),
    ("59", half_a_piece),
]  # fmt: skip


@pytest.mark.parametrize(("number", "defect"), DEFECTS, ids=[defect.__name__ for _, defect in DEFECTS])
def test_a_defect_makes_its_invariant_speak_and_no_other(
    sold: Sold, number: str, defect: Callable[[Sold], None]
) -> None:
    defect(sold)
    assert speaking(sold.shop) == [number]


def test_a_day_that_waits_to_be_counted_is_not_held_to_its_numbers(sold: Sold) -> None:
    an_event_that_nobody_counts(sold)
    sold.plant("INSERT INTO analytics_stale_days VALUES (?, ?, ?)", TIME[:10], TIME, TIME)
    assert speaking(sold.shop) == []


def test_each_begins_with_a_sentence_for_people() -> None:
    for invariant in read():
        assert re.fullmatch(r"[A-Z].{20,}[.:].*", invariant.sentence), invariant.name


def test_the_location_of_the_tests_is_the_shops(shop: Shop) -> None:
    assert shop.rows("SELECT id FROM locations") == [(LOCATION,)]

"""Each invariant of the schema and of the file sees its own defect; and none of all invariants is without a defect."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from db.invariants import DIRECTORY, check, read
from tests.db.migration_support import using
from tests.invariants.test_invariants import DEFECTS, TIME
from tests.invariants.test_orders import DEFECTS as OF_ORDERS
from tests.shop import Shop

pytestmark = pytest.mark.file_engine
"""A defect is a schema rewritten by PRAGMAs of a connection, or bytes of the file."""


def rewritten(table: str, old: str, new: str) -> Callable[[sqlite3.Connection], None]:
    def plant(raw: sqlite3.Connection) -> None:
        raw.execute("PRAGMA writable_schema = ON")
        changed = raw.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)", (old, new, table, old)
        )
        assert changed.rowcount == 1, "the defect was not planted"

    plant.__name__ = f"{table}_without_{old.strip(') ').split(' ')[0]}"
    return plant


def dropped(what: str) -> Callable[[sqlite3.Connection], None]:
    def plant(raw: sqlite3.Connection) -> None:
        raw.execute(f"DROP {what}")

    plant.__name__ = f"without_{what.replace(' ', '_')}"
    return plant


def an_index_that_missed_a_change(raw: sqlite3.Connection) -> None:
    """The engine does not know of the index while a row is changed, and believes in it again afterwards."""
    end = "2999-01-01T00:00:00.000Z"
    raw.execute("INSERT INTO carts (id, expires_at, created_at, updated_at) VALUES ('c', ?, ?, ?)", (end, TIME, TIME))
    raw.execute("PRAGMA writable_schema = ON")
    [kept] = raw.execute("SELECT * FROM sqlite_schema WHERE name = 'carts_by_status'").fetchall()
    raw.execute("DELETE FROM sqlite_schema WHERE name = 'carts_by_status'")
    raw.execute("PRAGMA writable_schema = RESET")
    raw.execute("UPDATE carts SET status = 'ABANDONED'")
    raw.execute("PRAGMA writable_schema = ON")
    raw.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", kept)


def a_page_that_is_none(raw: sqlite3.Connection) -> None:
    """The first page of an index, which no other invariant reads, becomes one of no kind."""
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    [(page, file, size)] = raw.execute(
        "SELECT s.rootpage, d.file, p.page_size FROM sqlite_schema s, pragma_database_list d, pragma_page_size p "
        "WHERE s.name = 'idx_logs_created'"
    ).fetchall()
    raw.close()
    with Path(file).open("r+b") as pages:
        pages.seek((page - 1) * size)
        pages.write(b"\xff" * 4)


SCHEMA_DEFECTS: list[tuple[str, Callable[[sqlite3.Connection], None]]] = [
    ("60", dropped("INDEX order_items_by_product")),
    ("61", dropped("TRIGGER order_events_append_only_replace")),
    ("61", dropped("TRIGGER stock_moves_append_only_delete")),
    ("62", dropped("INDEX variants_sku_once")),
    ("62", rewritten("orders", " CONSTRAINT orders_version_positive CHECK (version >= 1)", "")),
    ("62", rewritten("stock_moves", ") STRICT", ")")),
    ("70", a_page_that_is_none),
    ("71", an_index_that_missed_a_change),
]


@pytest.mark.parametrize(("number", "defect"), SCHEMA_DEFECTS, ids=[defect.__name__ for _, defect in SCHEMA_DEFECTS])
def test_a_defect_of_the_schema_or_the_file_makes_its_invariant_speak_and_no_other(
    shop: Shop, number: str, defect: Callable[[sqlite3.Connection], None]
) -> None:
    shop.order({shop.variant(stock=5): 1})
    shop.close()
    shop.raw.close()
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as raw:
        defect(raw)
    heard = [one.name[:2] for one in using(shop.path, lambda db: check(db, deep=True)) if not one.holds]
    assert heard == [number]


def test_every_invariant_has_a_defect_that_it_sees() -> None:
    invariants = [*read(), *read(DIRECTORY / "deep")]
    numbers = [invariant.name[:2] for invariant in invariants]
    planted = {number for number, _ in [*DEFECTS, *SCHEMA_DEFECTS]} | {name[:2] for name in OF_ORDERS}
    assert sorted(planted) == numbers
    assert len(numbers) == len(set(numbers))

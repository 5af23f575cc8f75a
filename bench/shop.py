"""The shop that is measured: 10,000 products with a variant each, stock that never ends, and orders made in bulk.

Every row is as the handlers would have written it, so the invariants hold before a run and after it.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from db.engines.sqlite import open_connection
from db.helper import connect
from db.invariants import DIRECTORY as INVARIANTS
from db.migrate import Migrations
from db.migration_files import split
from db.statements.stock import LOCATION

VARIANTS: Final = 10_000
STOCK: Final = 10**7
_HERE: Final = Path(__file__).parent


def make(path: Path, orders: int = 0) -> None:
    """A migrated file with the catalog, and `orders` orders of two pieces each. Takes a minute for a million."""
    migrated(path)
    with closing(open_connection(path)) as connection:
        for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -2000000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        triggers = [(name, sql) for name, sql in triggers if not name.startswith("product_search")]
        connection.execute("BEGIN IMMEDIATE")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        _fill(connection, "catalog.sql", VARIANTS)
        if orders:
            _fill(connection, "orders.sql", orders)
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()


def migrated(path: Path) -> None:
    """A migrated, empty file."""
    asyncio.run(_migrate(path))


async def _migrate(path: Path) -> None:
    db = await connect(f"sqlite:///{path}")
    try:
        await Migrations().up(db)
    finally:
        await db.close()


def _fill(connection: Any, file: str, numbers: int) -> None:
    connection.execute("CREATE TEMP TABLE numbers (value INTEGER PRIMARY KEY)")
    connection.execute(
        "INSERT INTO numbers WITH RECURSIVE n (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < ?) "
        "SELECT value FROM n",
        (numbers - 1,),
    )
    values = {"now": "2026-11-01T00:00:00.000Z", "location_id": LOCATION, "stock": STOCK, "variants": VARIANTS}
    for sql in split((_HERE / file).read_text(encoding="utf-8")):
        connection.execute(sql, {name: value for name, value in values.items() if f":{name}" in sql})
    connection.execute("DROP TABLE numbers")


def variant(number: int) -> str:
    """The id of a variant of the catalog."""
    return f"variant_00{number:024d}"


def problems(path: Path) -> list[str]:
    """What does not add up in a file after a run; nothing, one hopes. No other process may write meanwhile."""
    found = []
    with closing(open_connection(path)) as connection:

        def one(sql: str) -> Any:
            return connection.execute(sql).fetchone()[0]

        sold = VARIANTS * STOCK - one("SELECT sum(stock) FROM inventory")
        items = one("SELECT coalesce(sum(quantity), 0) FROM order_items")
        moved = -one("SELECT coalesce(sum(delta), 0) FROM stock_moves WHERE reason = 'sale'")
        if not sold == items == moved:
            found.append(f"{sold} pieces left the stock, {items} were ordered, {moved} moved")
        orders = one("SELECT count(*) FROM orders")
        for name, sql in (
            ("order events", "SELECT count(DISTINCT order_id) FROM order_events"),
            ("messages", "SELECT count(*) FROM outbox WHERE topic = 'order.placed'"),
            ("remembered answers", "SELECT count(*) FROM idempotency_keys"),
        ):
            if one(sql) != orders:
                found.append(f"{orders} orders, {one(sql)} {name}")
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            found.append("a foreign key leads nowhere")
        if (check := one("PRAGMA quick_check")) != "ok":
            found.append(f"quick_check: {check}")
        found += [
            f"invariant {file.stem}"
            for file in sorted(INVARIANTS.glob("*.sql"))
            if connection.execute(file.read_text(encoding="utf-8").rstrip().rstrip(";")).fetchone()
        ]
    return found

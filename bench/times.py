"""`python -m bench.times`: document 001's query times on 10,000 products and 10,000 orders, beside its limits.

Limits in milliseconds: a simple query 10, a join 50, a complex query 200, a page 100; migrating an empty file 30 s; at
most 1 % of all slower than 200 ms. Medians and the slowest of 30 runs each.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from bench import shop
from db.engines.sqlite import open_connection
from db.sql import Sql
from db.statements.checkout import PRICED_LINES
from db.statements.orders import ORDER_JSON
from db.statements.product_list import FILTERS, ORDERS, products_page
from db.statements.stock import LOCATION
from domain.search import match_query

RUNS: Final = 30
ORDERS_MADE: Final = 10_000
SLOW_MS: Final = 200.0
VALUES: Final[dict[str, Any]] = {
    "category": "category-7",
    "collection": "collection-3",
    "producer": "producer-7",
    "size": "M",
    "min_price": 500,
    "max_price": 9_000,
    "q": match_query("product number"),
    "limit": 21,
    "now": "2026-11-21T08:00:00.000Z",
    "location_id": LOCATION,
}
SIMPLE: Final = Sql("SELECT * FROM live_products WHERE id = :id", "products.pk", registered=False)
ORDER: Final = Sql(
    f"SELECT {ORDER_JSON} AS item FROM orders o WHERE o.status = 'PENDING' "
    "ORDER BY o.placed_at DESC, o.id DESC LIMIT 21",
    "orders_by_status",
    "order_items_by_order",
    registered=False,
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tallystick-times-") as folder:
        path = Path(folder) / "shop.db"
        began = time.perf_counter()
        shop.migrated(path)
        up = time.perf_counter() - began
        path.unlink()
        shop.make(path, ORDERS_MADE)
        with closing(open_connection(path)) as connection:
            kinds = _kinds(connection)
            took = {what: [_once(query) for _ in range(RUNS)] for what, (_, query) in kinds.items()}
    everything = [one for runs in took.values() for one in runs]
    late = sum(one > SLOW_MS for one in everything) / len(everything)
    good = up < 30 and late < 0.01
    for what, runs in took.items():
        limit, middle = kinds[what][0], statistics.median(runs)
        good = good and middle < limit
        print(f"{what:48} median {middle:8.3f} ms, slowest {max(runs):8.3f} ms, limit {limit} ms")
    print(f"{'migrating an empty file':48} {up:15.3f} s, limit 30 s")
    print(f"{'slower than 200 ms':48} {late:15.2%}, limit 1 %")
    return 0 if good else 1


def _kinds(connection: Any) -> dict[str, tuple[float, Callable[[], Any]]]:
    """Limit in milliseconds and query, by what it is."""

    def query(sql: Sql, **values: Any) -> Callable[[], Any]:
        bound = [values[name] for name in sql.names]
        return lambda: connection.execute(sql.text, bound).fetchall()

    variants = f'{{"{shop.variant(5)}": 1, "{shop.variant(9_000)}": 2}}'
    every = tuple(name for name in FILTERS if name != "out_of_stock")
    kinds: dict[str, tuple[float, Callable[[], Any]]] = {
        "simple: a product by id": (10, query(SIMPLE, id=f"product_00{5_000:024d}")),
        "join: two priced lines": (50, query(PRICED_LINES, lines=variants, location_id=LOCATION)),
        "page: 20 orders with their items": (100, query(ORDER)),
    }
    for sort in ORDERS:
        kinds[f"page: 20 products by {sort}"] = (100, query(products_page(sort, (), after=False), **VALUES))
        kinds[f"complex: all filters, by {sort}"] = (200, query(products_page(sort, every, after=False), **VALUES))
    return kinds


def _once(query: Callable[[], Any]) -> float:
    began = time.perf_counter()
    query()
    return (time.perf_counter() - began) * 1_000


if __name__ == "__main__":
    sys.exit(main())

"""What a page of GET /products costs as the shop grows, in steps of SQLite's virtual machine (time would be noise).

Goal: a page costs the same among 1 000 and 10 000 products; a filter costs the rows walked until the page is full.
Method: products that differ in their keys only, and a progress handler that counts every step.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.ids import typeids
from db.engines.sqlite import open_connection
from db.statements.product_list import FILTERS, ORDERS, products_page
from db.statements.stock import LOCATION
from domain.search import match_query, search_text

NOW = "2026-11-21T08:00:00.000Z"
SIZES = (1_000, 10_000)
TENTH = 10
"""Every tenth product passes a filter, the prices apart, of which every second does."""
RARE = 3

pytestmark = pytest.mark.file_engine


def rows_of(count: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements that fill a shop with `count` alike products."""
    times = (NOW, NOW)
    tops = {name: typeids(name, 3, 1) for name in ("category", "collection", "producer")}
    for number, name in enumerate(("all", "tenth", "rare")):
        category, collection, producer = (tops[kind][number] for kind in ("category", "collection", "producer"))
        yield (
            "INSERT INTO categories (id, name, slug, level, path, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?, ?)",
            (category, name, name, f"/{category}/", *times),
        )
        yield (
            "INSERT INTO collections (id, name, slug, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (collection, name, name, *times),
        )
        yield (
            "INSERT INTO producers (id, name, slug, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (producer, name, name, *times),
        )
    ids, variants = typeids("product", count, 10**12), typeids("variant", count, 10**12)
    for number, (product, variant) in enumerate(zip(ids, variants, strict=True)):
        group = 2 if number >= count - RARE else 1 if number % TENTH == 0 else 0
        name = ("all", "tenth", "rare")[group]
        created_at = f"2026-11-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z"
        yield (
            "INSERT INTO products (id, producer_id, slug, title, status, price, currency, created_at, updated_at) "
            "VALUES (?, ?, ?, ?, 'ACTIVE', ?, 'EUR', ?, ?)",
            (product, tops["producer"][group], f"p-{number}", f"T{number * 7919 % count:05}",
             number * 37 % 1_000, created_at, NOW),
        )  # fmt: skip
        yield (
            "INSERT INTO variants (id, product_id, sku, title, size, price, is_primary, created_at, updated_at) "
            "VALUES (?, ?, ?, 'V', ?, 1, 1, ?, ?)",
            (variant, product, f"S-{number}", name, *times),
        )
        yield (
            "INSERT INTO inventory (variant_id, location_id, stock, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (variant, LOCATION, group, *times),
        )
        yield ("INSERT INTO product_categories VALUES (?, ?, 1, ?, ?)", (product, tops["category"][group], *times))
        yield ("INSERT INTO product_collections VALUES (?, ?, 0, ?, ?)", (product, tops["collection"][group], *times))
        words = search_text({"title": name, "summary": "", "search_keywords": []}, [], None)
        yield (
            "INSERT INTO product_search_texts (product_id, title, body, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
            (product, *words, *times),
        )


@pytest.fixture(scope="module")
def shops(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Any]]:
    """A connection to a shop of each of SIZES."""
    connections = {}
    for size in SIZES:
        path = tmp_path_factory.mktemp("steps") / f"{size}.db"
        shutil.copy(template, path)
        connections[size] = open_connection(path)
        connections[size].execute("BEGIN")
        for sql, values in rows_of(size):
            connections[size].execute(sql, values)
        connections[size].execute("COMMIT")
    yield connections
    for connection in connections.values():
        connection.close()


def steps(connection: Any, sort: str, *, after: list[Any] | None = None, **values: Any) -> tuple[int, list[Any]]:
    """Steps that a page of 20 takes, and its rows."""
    page = products_page(sort, tuple(values), after=after is not None)
    given = {**values, "limit": 21, "now": NOW, "location_id": LOCATION}
    if after is not None:
        given |= {"after_key": after[0], "after_id": after[1]}
    sql, bound = page(**{name: given[name] for name in page.names})
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(step, 1)
    rows = connection.execute(sql.text, bound).fetchall()
    connection.set_progress_handler(None, 1)
    return taken, rows


@pytest.mark.parametrize("sort", ORDERS)
def test_a_page_costs_the_same_in_a_shop_ten_times_as_large(shops: dict[int, Any], sort: str) -> None:
    counted = []
    for size in SIZES:
        first, rows = steps(shops[size], sort)
        second, later = steps(shops[size], sort, after=[*rows[-2][1:]])
        assert len(rows) == len(later) == 21
        assert rows[-1][1:] == later[0][1:]
        counted.append((first, second))
    (first, second), (first_of_many, second_of_many) = counted
    assert first == first_of_many
    assert abs(second - second_of_many) <= 21  # where keys are equal, ids are compared too
    assert max(first, second) < 21 * 250


@pytest.mark.parametrize("sort", ORDERS)
def test_a_late_page_costs_no_more_than_the_first(shops: dict[int, Any], sort: str) -> None:
    connection, order = shops[10_000], ORDERS[sort]
    (middle,) = connection.execute(
        f"SELECT {order.key}, id FROM products ORDER BY {order.key} {order.direction}, id LIMIT 1 OFFSET 5000"
    ).fetchall()
    assert steps(connection, sort, after=[*middle])[0] < steps(connection, sort)[0] * 1.1


TENTHS: dict[str, Any] = {
    "category": "tenth",
    "collection": "tenth",
    "producer": "tenth",
    "size": "tenth",
    "min_price": 500,
    "max_price": 499,
    "in_stock": 1,
}


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("name", TENTHS)
def test_a_filter_costs_the_rows_until_the_page_is_full(shops: dict[int, Any], sort: str, name: str) -> None:
    (few, page), (many, other) = (steps(shops[size], sort, **dict[str, Any]({name: TENTHS[name]})) for size in SIZES)
    assert len(page) == len(other) == 21
    assert many <= few * 2  # those that pass stand no further apart, but with equal prices in another order
    assert many < 21 * 250 + 21 * TENTH * 40


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [("category", "rare"), ("collection", "rare"), ("producer", "rare"), ("size", "rare"), ("q", match_query("rare"))],
)
def test_a_filter_that_few_pass_costs_some_steps_a_row(shops: dict[int, Any], sort: str, name: str, value: str) -> None:
    taken, rows = steps(shops[10_000], sort, **dict[str, Any]({name: value}))
    assert len(rows) == RARE
    assert taken < 25 * 10_000


def test_every_filter_is_counted() -> None:
    assert set(FILTERS) == {*TENTHS, "q", "out_of_stock"}

"""What a checkout costs does not grow with the shop: virtual machine steps, counted one by one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api import database as api_database
from db.engines.sqlite import open_connection, run_batch, run_read
from db.engines.trips import Stopwatch
from db.helper import Results
from db.sql import Statement
from tests.shop import LOCATION, Shop

CATALOG = (
    """
    INSERT INTO products (id, slug, title, status, price, currency, created_at, updated_at)
    SELECT printf('product_filler%d', value), printf('filler-%d', value), 'Filler', 'ACTIVE', 100, 'EUR', :now, :now
    FROM json_each(:numbers)
    """,
    """
    INSERT INTO variants (id, product_id, sku, title, price, is_primary, created_at, updated_at)
    SELECT printf('variant_filler%d', value), printf('product_filler%d', value), printf('FILLER-%d', value), 'Filler',
      100, 1, :now, :now FROM json_each(:numbers)
    """,
    """
    INSERT INTO inventory (variant_id, location_id, stock, created_at, updated_at)
    SELECT printf('variant_filler%d', value), :location, 10, :now, :now FROM json_each(:numbers)
    """,
)


class Counting:
    """A database that counts the steps of each round trip, in place."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.trips = 0
        self.steps: list[int] = []
        self._connection = open_connection(path)
        self._counted = 0
        self._connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self._counted += 1
        return 0

    def _run(self, work: Any, statements: Sequence[Statement]) -> Results:
        self._counted = 0
        rows: Results = work(self._connection, statements, Stopwatch())
        self.steps.append(self._counted)
        return rows

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        return self._run(run_read, statements)

    async def batch(self, statements: Sequence[Statement]) -> Results:
        return self._run(run_batch, statements)

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        self._connection.close()


def grow(shop: Shop, first: int, last: int) -> None:
    numbers = "[" + ",".join(map(str, range(first, last))) + "]"
    for text in CATALOG:
        values = {"now": shop.now, "numbers": numbers, "location": LOCATION}
        shop.raw.execute(text, {name: value for name, value in values.items() if f":{name}" in text})


def counted(shop: Shop, lines: dict[str, int], key: str) -> list[int]:
    """Steps of the read and of the batch of one checkout."""
    counting = Counting(shop.path)
    shop.patch.setattr(api_database, "_client", counting)
    shop.patch.setattr(api_database, "_url", shop.url)
    try:
        assert shop.post("/checkout", shop.checkout_body(lines), idempotency_key=key).status == 201
        return counting.steps
    finally:
        asyncio.get_event_loop().run_until_complete(counting.close())
        shop.patch.setattr(api_database, "_client", None)


def test_a_checkout_takes_the_same_steps_in_a_shop_a_hundred_times_as_big(shop: Shop) -> None:
    first, second = shop.variant(stock=100), shop.variant(stock=100)
    counted(shop, {first: 1, second: 2}, "warm")
    grow(shop, 0, 98)
    small = counted(shop, {first: 1, second: 2}, "small")
    grow(shop, 98, 9_998)
    assert shop.one("SELECT count(*) FROM variants") == 10_000
    assert counted(shop, {first: 1, second: 2}, "big") == small


def test_a_step_more_would_be_seen(shop: Shop) -> None:
    """The counter counts: a checkout of three lines takes more steps than one of two."""
    variants = [shop.variant(stock=100) for _ in range(3)]
    two = counted(shop, dict.fromkeys(variants[:2], 1), "two")
    three = counted(shop, dict.fromkeys(variants, 1), "three")
    assert all(more > fewer for more, fewer in zip(three, two, strict=True))

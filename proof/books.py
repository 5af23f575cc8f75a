"""The books of a race: articles with a stock of their own, and afterwards what is left and what else must be true."""

from __future__ import annotations

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from api.clock import milliseconds_now, stamp
from api.ids import typeids
from db.helper import Database, insert_many
from db.sql import unregistered
from db.statements.stock import LOCATION
from proof.memory import OPENING, Memory, Verdict, compare

KEY_VARIABLE: Final = "TALLYSTICK_API_KEY"

LEFT = unregistered(
    "SELECT i.variant_id, i.stock, (SELECT -sum(delta) FROM stock_moves m WHERE m.variant_id = i.variant_id "
    "AND m.location_id = i.location_id AND m.reason = 'sale') AS sold "
    "FROM json_each(:variants) v CROSS JOIN inventory i ON i.variant_id = v.value"
)


class Left(NamedTuple):
    """Of one article: pieces that may still be sold, and pieces that the moves say were sold."""

    stock: int
    sold: int


class Books(Protocol):
    async def open(self, articles: int, stock: int) -> list[str]:
        """New articles with `stock` pieces each; the ids of their variants."""
        ...

    async def left(self, variants: Sequence[str]) -> Mapping[str, Left]: ...

    async def compare(self, memory: Memory) -> Verdict:
        """What was acknowledged, held against what there is."""
        ...


def sums(memory: Memory, left: Mapping[str, Left]) -> list[str]:
    """Where what is left, or what the moves say was sold, is not what was acknowledged."""
    expected = memory.expected()
    wrong = []
    for variant, opened in memory.opened.items():
        found, must, sold = left[variant], expected[variant], opened - expected[variant]
        if sold > opened:
            wrong.append(f"{variant}: {sold} sold of {opened}")
        if found.stock != must or found.stock < 0:
            wrong.append(f"{variant}: {found.stock} left of {opened} after {sold} were sold")
        if found.sold != sold:
            wrong.append(f"{variant}: the moves say {found.sold} sold, the orders {sold}")
    return wrong


class SqlBooks:
    """The books as the database keeps them: rows in, rows out, and every invariant."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, articles: int, stock: int) -> list[str]:
        moment = milliseconds_now()
        now, run = stamp(moment), secrets.token_hex(6)
        products, variants, moves = (typeids(kind, articles, moment) for kind in ("product", "variant", "move"))
        times = {"created_at": now, "updated_at": now}
        priced = {"price": 1_299, **times}
        names = [f"race-{run}-{number}" for number in range(articles)]
        tables: dict[str, list[dict[str, Any]]] = {
            "products": [
                {"id": product, "slug": name, "title": name, "status": "ACTIVE", "currency": "EUR", **priced}
                for product, name in zip(products, names, strict=True)
            ],
            "variants": [
                {"id": variant, "product_id": product, "sku": name, "title": name, "is_primary": 1, **priced}
                for variant, product, name in zip(variants, products, names, strict=True)
            ],
            "inventory": [
                {"variant_id": variant, "location_id": LOCATION, "stock": stock, **times} for variant in variants
            ],
            "stock_moves": [
                {
                    "id": move, "variant_id": variant, "location_id": LOCATION, "delta": stock, "reason": "adjustment",
                    "balance_after": stock, "actor": OPENING, "created_at": now,
                }
                for move, variant in zip(moves, variants, strict=True)
            ],
        }  # fmt: skip
        for table, records in tables.items():
            await insert_many(self._db, table, records)
        return variants

    async def left(self, variants: Sequence[str]) -> Mapping[str, Left]:
        [rows] = await self._db.read(LEFT(variants=json.dumps(variants)))
        return {row["variant_id"]: Left(row["stock"], row["sold"] or 0) for row in rows}

    async def compare(self, memory: Memory) -> Verdict:
        return await compare(self._db, memory)


class ApiBooks:
    """The books as the API tells them, with a key of the environment that may make products and adjust stock."""

    def __init__(self, url: str) -> None:
        self._url, self._key = url.rstrip("/"), os.environ[KEY_VARIABLE]

    async def open(self, articles: int, stock: int) -> list[str]:
        run, variants = secrets.token_hex(6), []
        for number in range(articles):
            name = f"race-{run}-{number}"
            product = self._ask("/products", {"title": name, "slug": name, "price": 1_299, "status": "ACTIVE"})
            variants.append(product["variants"][0]["id"])
            self._ask("/stock/adjustments", {"variant_id": variants[-1], "delta": stock, "reason": "receipt"})
        return variants

    async def left(self, variants: Sequence[str]) -> Mapping[str, Left]:
        found: dict[str, Left] = {}
        for variant in variants:
            sold, cursor = 0, ""
            while cursor is not None:
                page = self._ask(
                    f"/stock/moves?variant={variant}&reason=sale&limit=100" + (f"&cursor={cursor}" * bool(cursor))
                )
                sold -= sum(move["delta"] for move in page["items"])
                cursor = page["next_cursor"]
            found[variant] = Left(self._ask(f"/variants/{variant}/stock")["available"], sold)
        return found

    async def compare(self, memory: Memory) -> Verdict:
        """Only what the API tells: the pieces that are left and those that were sold."""
        return Verdict([], [], [*memory.wrong, *sums(memory, await self.left(list(memory.opened)))])

    def _ask(self, path: str, body: Any = None) -> Any:
        sent = urllib.request.Request(self._url + path, method="GET" if body is None else "POST")  # noqa: S310
        sent.add_header("authorization", f"Bearer {self._key}")
        if body is not None:
            sent.data = json.dumps(body).encode()
            sent.add_header("content-type", "application/json")
            sent.add_header("idempotency-key", secrets.token_hex(16))
        try:
            with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310 - the URL of the command line
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path} answered {error.code}: {error.read().decode()}") from error

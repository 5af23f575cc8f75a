"""What was acknowledged, kept away from the database, and held against its rows afterwards.

Lost is what was acknowledged and is not there; double is what is there and nobody was told of, such as a second order
for one key; violated is everything else that is not as it must be, the invariants included.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from api.ids import typeids
from db import invariants
from db.helper import Database, Row
from db.sql import Sql, unregistered

ROWS_A_READ: Final = 2_000
TIME_LETTERS: Final = 10
"""Of a TypeID: its milliseconds."""

OPENING: Final = "opening"
"""The actor of the moves that opened an article."""

ITEMS = unregistered(
    "SELECT i.id, i.order_id, i.variant_id, i.quantity, o.status FROM order_items i "
    "JOIN orders o ON o.id = i.order_id WHERE i.id > :after ORDER BY i.id LIMIT :rows"
)
MOVES = unregistered(
    f"SELECT id, variant_id, delta FROM stock_moves WHERE id > :after AND order_id IS NULL AND actor <> '{OPENING}' "
    "AND reason IN ('adjustment', 'receipt', 'return') ORDER BY id LIMIT :rows"
)
HOLDS = unregistered(
    "SELECT id, variant_id, quantity, status FROM reservations WHERE id > :after ORDER BY id LIMIT :rows"
)
SHELVES = unregistered(
    "SELECT i.variant_id, i.stock, i.reserved FROM json_each(:variants) v CROSS JOIN inventory i "
    "ON i.variant_id = v.value"
)
REMEMBERED = unregistered(
    "SELECT i.scope, i.key, i.answer ->> '$.id' AS id FROM json_each(:keys) k CROSS JOIN idempotency_keys i "
    "ON i.scope = k.value ->> 0 AND i.key = k.value ->> 1 AND i.status = 201"
)


@dataclass
class Order:
    """An acknowledged order: the key it was asked for with, and pieces by variant."""

    key: str
    cart: Mapping[str, int]
    scope: str = "anonymous"
    """In which the key is remembered: `cart:` and the hash of its token, for a guest who checked out a cart."""
    cancelled: bool = False
    cancelling: bool = False
    """Somebody asked for it and was not told the end of it."""


@dataclass
class Hold:
    variant: str
    quantity: int
    released: bool = False


class Adjustment(NamedTuple):
    variant: str
    delta: int


class Refusal(NamedTuple):
    """Asked for with `key` and refused: an order of `pieces`, a hold or an adjustment of one variant."""

    kind: Literal["order", "hold", "adjustment"]
    pieces: Mapping[str, int]
    key: str
    scope: str = "anonymous"


class Verdict(NamedTuple):
    """Sentences; nothing is wrong if all are empty."""

    lost: list[str]
    double: list[str]
    violated: list[str]

    @property
    def good(self) -> bool:
        return not any(self)

    def all(self) -> list[str]:
        return [*self.lost, *self.double, *self.violated]


@dataclass
class Memory:
    """What the articles of `opened` (pieces at the beginning, by variant) went through, by what was acknowledged."""

    opened: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    adjustments: dict[str, Adjustment] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    """A refusal writes nothing, so it is not remembered: a copy of the request that the network brings later may find
    what the first did not, and is done. Its key tells: that is no second effect of anything acknowledged."""
    late: int = 0
    """How many of them were done later."""
    began: int = 0
    """Milliseconds since 1970 before which nothing of this was made: older rows are not looked at."""
    wrong: list[str] = field(default_factory=list)
    """Answers that nobody should get, and what got none at all."""

    @property
    def acknowledged(self) -> int:
        return len(self.orders) + len(self.holds) + len(self.adjustments)

    def placed(self, key: str, order: str, cart: Mapping[str, int], scope: str = "anonymous") -> None:
        """An order was acknowledged; the same one again for the same key says nothing new."""
        before = self.orders.setdefault(order, Order(key, cart, scope))
        if before.key != key:
            self.wrong.append(f"two keys were told the same order {order}")

    def since(self, prefix: str) -> str:
        """What sorts before every id of this memory's time, and after most older ones."""
        whole = typeids(prefix, 1, max(self.began - 1_000, 0))[0]
        return whole[: len(prefix) + 1 + TIME_LETTERS]

    def expected(self) -> dict[str, int]:
        """Pieces that must be on hand, by variant: sold or held, whatever."""
        left = Counter(self.opened)
        for one in self.adjustments.values():
            left[one.variant] += one.delta
        for order in self.orders.values():
            if not order.cancelled:
                left.subtract(order.cart)
        return dict(left)


async def compare(db: Database, memory: Memory, *, all_invariants: bool = True) -> Verdict:
    """Hold what was acknowledged against the rows of its articles, and ask the invariants of the whole database.

    Asked a second time, after an engine that was away, it finds the same.
    """
    await _late(db, memory)
    verdict = Verdict([], [], list(memory.wrong))
    await _orders(db, memory, verdict)
    await _holds(db, memory, verdict)
    await _adjustments(db, memory, verdict)
    await _keys(db, memory, verdict)
    await _shelves(db, memory, verdict)
    if all_invariants:
        for finding in await invariants.check(db):
            if not finding.holds:
                row = json.dumps(finding.rows[0], ensure_ascii=False)
                verdict.violated.append(f"invariant {finding.name}: {len(finding.rows)} rows, the first is {row}")
    return verdict


async def _late(db: Database, memory: Memory) -> None:
    """What was refused and done later, by a copy with the same key, is known from now on."""
    refused = {(one.scope, one.key): one for one in memory.refused}
    for identity, made in (await _remembered(db, list(refused))).items():
        one = refused[identity]
        [(variant, count), *_] = one.pieces.items()
        if made in memory.orders or made in memory.holds or made in memory.adjustments:
            continue  # of several copies one was refused and another was not
        memory.late += 1
        if one.kind == "order":
            memory.placed(one.key, made, one.pieces, one.scope)
        elif one.kind == "hold":
            memory.holds[made] = Hold(variant, count)
        else:
            memory.adjustments[made] = Adjustment(variant, count)
    memory.refused.clear()


async def _remembered(db: Database, keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What was made, by scope and key."""
    found = {}
    for start in range(0, len(keys), ROWS_A_READ):
        [rows] = await db.read(REMEMBERED(keys=json.dumps(keys[start : start + ROWS_A_READ])))
        found.update({(row["scope"], row["key"]): row["id"] for row in rows})
    return found


async def _orders(db: Database, memory: Memory, verdict: Verdict) -> None:
    carts: dict[str, Counter[str]] = {}
    statuses: dict[str, str] = {}
    async for row in _walk(db, ITEMS, memory.since("item")):
        if row["variant_id"] in memory.opened or row["order_id"] in memory.orders:
            carts.setdefault(row["order_id"], Counter())[row["variant_id"]] += row["quantity"]
            statuses[row["order_id"]] = row["status"]
    verdict.lost.extend(f"order {one} was acknowledged" for one in memory.orders if one not in carts)
    verdict.double.extend(f"order {one} was acknowledged to nobody" for one in carts if one not in memory.orders)
    for one, order in memory.orders.items():
        if one not in carts:
            continue
        if carts[one] != Counter(order.cart):
            verdict.violated.append(f"order {one} holds {dict(carts[one])}, acknowledged was {dict(order.cart)}")
        is_cancelled = statuses[one] == "CANCELLED"
        if order.cancelled and not is_cancelled:
            verdict.lost.append(f"that order {one} is cancelled was acknowledged, it is {statuses[one]}")
        if is_cancelled and order.cancelling:
            order.cancelled = True
        elif is_cancelled and not order.cancelled:
            verdict.double.append(f"order {one} is cancelled, which was acknowledged to nobody")


async def _holds(db: Database, memory: Memory, verdict: Verdict) -> None:
    found = {
        row["id"]: row
        async for row in _walk(db, HOLDS, memory.since("reservation"))
        if row["variant_id"] in memory.opened
    }
    verdict.lost.extend(f"hold {one} was acknowledged" for one in memory.holds if one not in found)
    verdict.double.extend(f"hold {one} was acknowledged to nobody" for one in found if one not in memory.holds)
    for one, hold in memory.holds.items():
        row = found.get(one)
        if row is not None and hold.released and row["status"] != "RELEASED":
            verdict.lost.append(f"that hold {one} is released was acknowledged, it is {row['status']}")


async def _adjustments(db: Database, memory: Memory, verdict: Verdict) -> None:
    found = {
        row["id"]: Adjustment(row["variant_id"], row["delta"])
        async for row in _walk(db, MOVES, memory.since("move"))
        if row["variant_id"] in memory.opened
    }
    for one, adjustment in memory.adjustments.items():
        if one not in found:
            verdict.lost.append(f"adjustment {one} was acknowledged")
        elif found[one] != adjustment:
            verdict.violated.append(f"adjustment {one} is {found[one]}, acknowledged was {adjustment}")
    verdict.double.extend(f"adjustment {one} was told to nobody" for one in found if one not in memory.adjustments)


async def _keys(db: Database, memory: Memory, verdict: Verdict) -> None:
    """Each key remembers its order: whoever asks again is told the same."""
    remembered = await _remembered(db, [(order.scope, order.key) for order in memory.orders.values()])
    for one, order in memory.orders.items():
        if (found := remembered.get((order.scope, order.key))) != one:
            verdict.violated.append(f"key {order.key} remembers {found}, told was {one}")


async def _shelves(db: Database, memory: Memory, verdict: Verdict) -> None:
    expected = memory.expected()
    variants = list(memory.opened)
    for start in range(0, len(variants), ROWS_A_READ):
        [rows] = await db.read(SHELVES(variants=json.dumps(variants[start : start + ROWS_A_READ])))
        for row in rows:
            variant, there = row["variant_id"], row["stock"] + row["reserved"]
            if there != expected[variant] or min(row["stock"], row["reserved"]) < 0:
                told = f"{row['stock']} to sell and {row['reserved']} held"
                verdict.violated.append(f"{variant}: {told}, {expected[variant]} must be there")


async def _walk(db: Database, sql: Sql, after: str) -> AsyncIterator[Row]:
    while True:
        [rows] = await db.read(sql(after=after, rows=ROWS_A_READ))
        for row in rows:
            yield row
        if len(rows) < ROWS_A_READ:
            return
        after = rows[-1]["id"]

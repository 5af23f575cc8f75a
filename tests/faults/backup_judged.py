"""Is a backup of one moment of a shop that sold meanwhile? What the file holds, against what buyers were told.

Judged by the rows of the file alone, so that a restore which repairs or refuses something can hide nothing.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from db.backup_file import Manifest, Reader
from tests.faults.placing import Placed

GROWING: Final = ("orders", "order_items", "order_events", "stock_moves", "outbox")
"""Tables that a checkout only adds to. One writer at a time: their rowids stand in the order of the commits."""
SHOWN: Final = 3
"""Defects of one kind that are named; the others are counted."""


class Held(NamedTuple):
    """What a backup's file holds: ids of the growing tables in the order of writing, and what each order is made of."""

    manifest: Manifest
    ids: dict[str, list[str]]
    items: dict[str, Counter[str]]
    """Pieces by variant, for each order; `moved` likewise, what left the stock for it."""
    moved: dict[str, Counter[str]]
    events: Counter[str]
    messages: Counter[str]
    keys: dict[str, str]
    """The idempotency key under which each order's answer is remembered."""
    heads: dict[str, str]


def held(path: Path) -> Held:
    """Raises BackupError for a file that is not whole."""
    items: dict[str, Counter[str]] = defaultdict(Counter)
    moved: dict[str, Counter[str]] = defaultdict(Counter)
    events, messages, keys = Counter[str](), Counter[str](), dict[str, str]()
    ids: dict[str, list[str]] = {name: [] for name in GROWING}
    heads: dict[str, str] = {}
    with Reader(path) as reader:
        for table in reader.manifest.tables:
            if table.name not in (*GROWING, "idempotency_keys"):
                continue
            row: dict[str, Any] = {}
            for text in reader.rows(table):
                row = dict(zip(table.columns, json.loads(text), strict=True))
                if table.name in ids:
                    ids[table.name].append(row["id"])
                if table.name == "order_items":
                    items[row["order_id"]][row["variant_id"]] += row["quantity"]
                elif table.name == "stock_moves" and row["order_id"]:
                    moved[row["order_id"]][row["variant_id"]] -= row["delta"]
                elif table.name == "order_events":
                    events[row["order_id"]] += 1
                elif table.name == "outbox" and row["topic"] == "order.placed":
                    messages[row["entity_id"]] += 1
                elif table.name == "idempotency_keys" and row["status"] == 201:
                    keys[json.loads(row["answer"])["id"]] = row["key"]
            if row and table.name in ("orders", "stock_moves"):
                heads[table.name] = row["id"]
        return Held(reader.manifest, ids, dict(items), dict(moved), events, messages, keys, heads)


def judged(
    found: Held, placed: Sequence[Placed], source: Mapping[str, Sequence[str]], began: float, ended: float
) -> tuple[dict[str, Any], list[str]]:
    """Facts, and what is wrong. `source` has the growing tables' ids as the shop has them after the backup.

    Between `began` and `ended` the backup ran, by the clock of `placed`. What is told to be lost was acknowledged by
    the time it ended and is not in it: so much is gone if the database dies at that moment.
    """
    orders = set(found.ids["orders"])
    missing = [one for one in placed if one.order not in orders]
    lost = [one for one in missing if one.answered <= ended]
    facts = {
        "acknowledged_before": sum(one.answered < began for one in placed),
        "acknowledged_meanwhile": sum(began <= one.answered <= ended for one in placed),
        "acknowledged_after": sum(one.answered > ended for one in placed),
        "lost_orders": len(lost),
        "lost_seconds": round(ended - min((one.answered for one in lost), default=ended), 2),
    }
    wrong = [
        *_named("acknowledged before the backup began, and not in it", _ids(missing, lambda one: one.answered < began)),
        *_named(
            "asked for after the backup had ended, and in it",
            _ids([one for one in placed if one.order in orders], lambda one: one.asked > ended),
        ),
        *_out_of_turn(placed, orders),
        *_halves(found),
        *_not_as_asked(found, placed),
        *_no_prefix(found, source),
    ]
    wrong += [f"nobody bought: {name} is 0, which proves nothing" for name in list(facts)[:3] if not facts[name]]
    return facts, wrong


def _ids(some: Sequence[Placed], wanted: Any) -> list[str]:
    return [one.order for one in some if wanted(one)]


def _named(what: str, orders: Sequence[str]) -> list[str]:
    if not orders:
        return []
    return [f"{len(orders)} orders were {what}: {', '.join(orders[:SHOWN])}"]


def _out_of_turn(placed: Sequence[Placed], orders: set[str]) -> list[str]:
    """Orders in the file that were asked for only after one was acknowledged that is not in it."""
    first = min((one.answered for one in placed if one.order not in orders), default=float("inf"))
    late = [one.order for one in placed if one.order in orders and one.asked > first]
    return _named("asked for after another one was acknowledged that is not in the backup", late)


def _halves(found: Held) -> list[str]:
    """An order's rows are all there, or none of them."""
    parts: dict[str, Any] = {
        "order": dict.fromkeys(found.ids["orders"]), "items": found.items, "stock moves": found.moved,
        "event": found.events, "message": found.messages, "remembered answer": found.keys,
    }  # fmt: skip
    wrong = []
    for name, those in parts.items():
        without = sorted({order for other in parts.values() for order in other} - set(those))
        wrong += _named(f"half there, without {name}", without)
    differing = [order for order in found.items if order in found.moved and found.items[order] != found.moved[order]]
    return wrong + _named("of other pieces than left the stock for them", differing)


def _not_as_asked(found: Held, placed: Sequence[Placed]) -> list[str]:
    """What buyers were told to have is what the rows say, under the key with which they asked."""
    other = [
        one.order
        for one in placed
        if one.order in found.items and (found.items[one.order], found.keys.get(one.order)) != (one.cart, one.key)
    ]
    return _named("of other pieces, or under another key, than was asked for", other)


def _no_prefix(found: Held, source: Mapping[str, Sequence[str]]) -> list[str]:
    """Each growing table of the file is the beginning of the shop's."""
    wrong = []
    for name, ids in found.ids.items():
        if list(source[name][: len(ids)]) != ids:
            pairs = enumerate(zip(ids, source[name], strict=False))
            place, at = next(((place, pair[0]) for place, pair in pairs if pair[0] != pair[1]), (len(ids), "its end"))
            wrong.append(f"{name} is not how the shop's began: it differs from row {place + 1} on, {at}")
    return wrong

"""Which owed pieces a receipt pays: the oldest first, as far as the stock goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def fills(owed: Iterable[Mapping[str, Any]], available: int) -> list[dict[str, Any]]:
    """What each item gets of `available` pieces, the first item first; an item may get a part of what it is owed.

    `owed` are rows of id, order_id, backordered_quantity. Each entry tells the item and its order, the pieces
    (`quantity`), what was owed before (`owed`) and the pieces given up to and with it (`running`).
    """
    given: list[dict[str, Any]] = []
    running = 0
    for item in owed:
        quantity = min(item["backordered_quantity"], available - running)
        if quantity <= 0:
            break
        running += quantity
        given.append(
            {
                "item_id": item["id"],
                "order_id": item["order_id"],
                "owed": item["backordered_quantity"],
                "quantity": quantity,
                "running": running,
            }
        )
    return given


def given_by(given: list[dict[str, Any]]) -> int:
    """The pieces that `given` gives in all."""
    total: int = given[-1]["running"] if given else 0
    return total

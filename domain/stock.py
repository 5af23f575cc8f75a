"""Stock: what is free, and what a batch must give back before it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Hold = dict[str, Any]
"""A row of FREE_HOLDS: id, variant_id, quantity, expires_at, own (1 = held for the cart that is being checked out).

Whoever ends holds for another reason says how they end by `status` instead of `own`.
"""


def free_by_variant(holds: Sequence[Hold]) -> dict[str, int]:
    """Pieces that `holds` will give back, by variant."""
    free: dict[str, int] = {}
    for hold in holds:
        free[hold["variant_id"]] = free.get(hold["variant_id"], 0) + hold["quantity"]
    return free


def releases(holds: Sequence[Hold], move_ids: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What the release statements need: the holds with their moves and running sums, and the pieces freed by variant.

    A hold of the cart in hand is CONSUMED, an expired one EXPIRED; in the order of their ends, as `move_ids` rise.
    """
    running: dict[str, int] = {}
    released = []
    for hold, move_id in zip(sorted(holds, key=lambda one: (one["expires_at"], one["id"])), move_ids, strict=True):
        variant = hold["variant_id"]
        running[variant] = running.get(variant, 0) + hold["quantity"]
        status = hold.get("status") or ("CONSUMED" if hold["own"] else "EXPIRED")
        released.append({"id": hold["id"], "move_id": move_id, "status": status, "running": running[variant]})
    return released, running

"""The states of an order: what follows what, who may cancel, what a step changes. Pure: no clock, no database, no HTTP.

The trigger orders_status_moves holds the same table for whoever writes past this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.refusals import Refusal

TRANSITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "PENDING": ("PAID", "CANCELLED"),
    "PAID": ("FULFILLED", "CANCELLED"),
    "FULFILLED": ("SHIPPED", "CANCELLED"),
    "SHIPPED": ("DELIVERED",),
    "DELIVERED": (),
    "CANCELLED": (),
}
BUYER_CANCELS: Final = ("PENDING",)
"""From here the buyer may cancel; staff wherever `TRANSITIONS` lets them."""
TIMES: Final[Mapping[str, str]] = {
    "PAID": "paid_at",
    "FULFILLED": "fulfilled_at",
    "SHIPPED": "shipped_at",
    "DELIVERED": "delivered_at",
    "CANCELLED": "cancelled_at",
}


def reference_of(text: str) -> str | None:
    """The reference that a person means (`7k3m9qpx` is `7K3M-9QPX`), None if it has not the form of one."""
    letters = text.replace("-", "", 1) if text[4:5] == "-" else text
    if len(letters) != 8 or not (letters.isascii() and letters.isalnum()):
        return None
    letters = letters.upper()
    return f"{letters[:4]}-{letters[4:]}"


def is_buyers(row: Mapping[str, Any], actor_id: str, phone: str | None) -> bool:
    """Whether an order is the caller's (a person's, or a key's), or they know the phone number it was placed with."""
    return actor_id in (row["user_id"], row["api_key_id"]) or (phone is not None and row["customer_phone"] == phone)


def check_transition(status: str, to: str, *, allowed: bool = True) -> None:
    """Raises Refusal illegal_transition (`from`, `to`) unless `to` follows `status`, and `allowed` says so too."""
    if to not in TRANSITIONS[status] or not allowed:
        raise Refusal("illegal_transition", **{"from": status, "to": to})


def moved(order: Mapping[str, Any], to: str, now: str) -> dict[str, Any]:
    """The order after the step to `to`, its items with it. Raises Refusal illegal_transition."""
    check_transition(order["status"], to)
    items = [{**item, "status": to} for item in order["items"]]
    return {**order, "status": to, "version": order["version"] + 1, "items": items, TIMES[to]: now}


def cancelled(order: Mapping[str, Any], now: str, *, by_staff: bool) -> dict[str, Any]:
    """The order after its cancellation: nothing is owed any more. Raises Refusal illegal_transition."""
    check_transition(order["status"], "CANCELLED", allowed=by_staff or order["status"] in BUYER_CANCELS)
    after = moved(order, "CANCELLED", now)
    return {**after, "items": [{**item, "backordered_quantity": 0} for item in after["items"]]}


def given_back(items: Sequence[Mapping[str, Any]], move_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What a cancellation gives back, an entry a variant: `quantity` pieces came from stock, `backordered` never did.

    `move_ids` are as many as the items or more; `id` is the return move's.
    """
    back: dict[str, dict[str, Any]] = {}
    for item in items:
        variant = item["variant_id"]
        if variant not in back:
            back[variant] = {"id": move_ids[len(back)], "variant_id": variant, "quantity": 0, "backordered": 0}
        back[variant]["quantity"] += item["quantity"] - item["backordered_quantity"]
        back[variant]["backordered"] += item["backordered_quantity"]
    return list(back.values())


def due_after(total: int, settled: int, amount: int) -> int:
    """What is left to pay after `amount`, in minor units. Raises Refusal payment_exceeds_due with what was `due`."""
    due = total - settled
    if amount > due:
        raise Refusal("payment_exceeds_due", due=due)
    return due - amount

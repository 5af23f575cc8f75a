"""The states of an order, as a table."""

import itertools
from typing import Any

import pytest

from domain.orders import TIMES, TRANSITIONS, cancelled, check_transition, due_after, given_back, moved, reference_of
from domain.refusals import Refusal

LEGAL = {
    ("PENDING", "PAID"), ("PAID", "FULFILLED"), ("FULFILLED", "SHIPPED"), ("SHIPPED", "DELIVERED"),
    ("PENDING", "CANCELLED"), ("PAID", "CANCELLED"), ("FULFILLED", "CANCELLED"),
}  # fmt: skip
NOW = "2026-11-21T08:00:00.000Z"


def order(status: str, backordered: int = 0) -> dict[str, Any]:
    items = [{"id": "item_1", "status": status, "quantity": 5, "backordered_quantity": backordered}]
    return {"id": "order_1", "status": status, "version": 3, "items": items, **dict.fromkeys(TIMES.values())}


@pytest.mark.parametrize(("status", "to"), list(itertools.product(TRANSITIONS, repeat=2)))
def test_every_pair_of_statuses(status: str, to: str) -> None:
    if (status, to) in LEGAL:
        after = moved(order(status), to, NOW)
        assert (after["status"], after["version"], after[TIMES[to]]) == (to, 4, NOW)
        assert [item["status"] for item in after["items"]] == [to]
        assert [after[time] for time in TIMES.values() if time != TIMES[to]] == [None] * 4
    else:
        with pytest.raises(Refusal) as refused:
            check_transition(status, to)
        assert (refused.value.code, refused.value.facts) == ("illegal_transition", {"from": status, "to": to})


@pytest.mark.parametrize("status", list(TRANSITIONS))
@pytest.mark.parametrize("by_staff", [True, False])
def test_who_cancels_from_where(status: str, by_staff: bool) -> None:
    if status == "PENDING" or (by_staff and status in ("PAID", "FULFILLED")):
        before = order(status, backordered=2)
        assert cancelled(before, NOW, by_staff=by_staff)["items"][0]["backordered_quantity"] == 0
        assert before["items"][0]["backordered_quantity"] == 2
    else:
        with pytest.raises(Refusal) as refused:
            cancelled(order(status), NOW, by_staff=by_staff)
        assert refused.value.facts == {"from": status, "to": "CANCELLED"}


def test_gives_back_what_was_taken_from_stock_by_variant() -> None:
    items = [
        {"variant_id": "a", "quantity": 5, "backordered_quantity": 2},
        {"variant_id": "b", "quantity": 1, "backordered_quantity": 1},
        {"variant_id": "a", "quantity": 1, "backordered_quantity": 0},
    ]
    assert given_back(items, ["m1", "m2", "m3"]) == [
        {"id": "m1", "variant_id": "a", "quantity": 4, "backordered": 2},
        {"id": "m2", "variant_id": "b", "quantity": 0, "backordered": 1},
    ]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("7K3M-9QPX", "7K3M-9QPX"), ("7k3m-9qpx", "7K3M-9QPX"), ("7k3m9QPX", "7K3M-9QPX"), ("7K3M9QP", None),
        ("7K3M-9QPXX", None), ("7K3-M9QPX", None), ("-7K3M9QPX", None), ("7K3M--9QP", None), ("", None),
        ("7K3M 9QPX", None), ("ßßßßßßßß", None), ("order_01kaktq2m8e8q8k3v9m1c4x7zd", None),
    ],
)  # fmt: skip
def test_reads_references_as_people_write_them(text: str, reference: str | None) -> None:
    assert reference_of(text) == reference


@pytest.mark.parametrize(("total", "settled", "amount", "due"), [(10, 0, 10, 0), (10, 4, 5, 1), (0, 0, 0, 0)])
def test_what_is_due_after_a_payment(total: int, settled: int, amount: int, due: int) -> None:
    assert due_after(total, settled, amount) == due


@pytest.mark.parametrize(("total", "settled", "amount"), [(10, 0, 11), (10, 4, 7), (0, 0, 1), (10, 10, 1)])
def test_refuses_payment_exceeds_due(total: int, settled: int, amount: int) -> None:
    with pytest.raises(Refusal) as refused:
        due_after(total, settled, amount)
    assert (refused.value.code, refused.value.facts) == ("payment_exceeds_due", {"due": total - settled})

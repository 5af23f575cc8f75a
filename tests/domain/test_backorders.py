"""Which owed pieces a receipt pays."""

import pytest

from domain.backorders import fills, given_by

OWED = [
    {"id": f"item_{number}", "order_id": f"order_{number}", "backordered_quantity": quantity}
    for number, quantity in enumerate((2, 1, 4))
]


@pytest.mark.parametrize(
    ("available", "given"),
    [
        (0, []),
        (1, [1]),
        (2, [2]),
        (3, [2, 1]),
        (5, [2, 1, 2]),
        (7, [2, 1, 4]),
        (100, [2, 1, 4]),
    ],
)
def test_pays_the_oldest_first_as_far_as_the_stock_goes(available: int, given: list[int]) -> None:
    found = fills(OWED, available)
    assert [one["quantity"] for one in found] == given
    assert given_by(found) == sum(given)


def test_tells_item_order_and_running_sum() -> None:
    assert fills(OWED, 6)[2] == {
        "item_id": "item_2", "order_id": "order_2", "owed": 4, "quantity": 3, "running": 6,
    }  # fmt: skip


def test_nothing_is_owed() -> None:
    assert fills([], 10) == []
    assert given_by([]) == 0

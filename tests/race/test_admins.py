"""The last administrator stays, whoever is faster.

Two administrators who take each other's role at once: the first is served (204); the other is no administrator any more
when the batch asks, and is refused (403). A key that may everything and takes both at once: one 204, one 409.
Method: as in test_orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from proof.asking import Asking
from tests.functions.users.support import stepped_up
from tests.race.racers import Racers, tally
from tests.shop import Shop

ROUNDS = 20
ADMINS = """
    SELECT count(*) FROM user_roles r JOIN users u ON u.id = r.user_id JOIN roles o ON o.id = r.role_id
    WHERE o.name = 'admin' AND u.status = 'ACTIVE'
      AND NOT EXISTS (SELECT 1 FROM user_permissions e WHERE e.user_id = u.id AND e.effect = 'DENY')
"""


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers(2)
    yield racers
    racers.close()


def taking(user: str, token: str) -> Asking:
    headers = {"authorization": f"Bearer {token}"}
    return Asking("functions.users.take_role", f"/users/{user}/roles/admin", "DELETE", headers=headers)


def suspending(user: str, token: str) -> Asking:
    headers = {"authorization": f"Bearer {token}"}
    return Asking("functions.users.update_user", f"/users/{user}", "PATCH", {"status": "SUSPENDED"}, headers)


def denying(user: str, token: str) -> Asking:
    headers = {"authorization": f"Bearer {token}"}
    return Asking(
        "functions.users.grant_permission", f"/users/{user}/permissions/*", "PUT", {"effect": "DENY"}, headers
    )


def two(shop: Shop) -> list[tuple[str, str]]:
    """Two administrators, the only ones, and a token of each."""
    shop.execute("DELETE FROM user_permissions")
    shop.execute("DELETE FROM user_roles")
    return [stepped_up(shop, "admin") for _ in range(2)]


def test_two_administrators_who_take_each_others_role(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        (one, ones), (other, others) = two(shop)
        answers = racers.race(shop.url, [taking(other, ones), taking(one, others)])
        assert tally(answers) == {(204, None): 1, (403, "forbidden"): 1}
        assert shop.one(ADMINS) == 1
    shop.checked()


def test_two_administrators_who_suspend_each_other(shop: Shop, racers: Racers) -> None:
    for _ in range(ROUNDS):
        (one, ones), (other, others) = two(shop)
        answers = racers.race(shop.url, [suspending(other, ones), suspending(one, others)])
        told = tally(answers)
        # Who was suspended before the other's batch is refused there; before the other's read, at the door.
        assert told[200, None] == 1 and set(told) <= {(200, None), (403, "forbidden"), (401, "unauthenticated")}
        assert shop.one(ADMINS) == 1
    shop.checked()


@pytest.mark.parametrize("how", ["taken", "suspended", "denied", "mixed"])
def test_of_the_last_two_at_once_one_stays(shop: Shop, racers: Racers, how: str) -> None:
    ways: dict[str, Any] = {
        "taken": (taking, taking), "suspended": (suspending, suspending), "denied": (denying, denying),
        "mixed": (taking, suspending),
    }  # fmt: skip
    for _ in range(ROUNDS // 4):
        (one, _), (other, _) = two(shop)
        first, second = ways[how]
        answers = racers.race(shop.url, [first(one, shop.admin), second(other, shop.admin)])
        assert sorted((answer.status < 300, answer.code) for answer in answers) == [
            (False, "last_admin"), (True, None),
        ]  # fmt: skip
        assert shop.one(ADMINS) == 1
    shop.checked()

"""The last two administrators erase themselves, and each other, at once.

Goal: one is left each time. Method: four processes at a barrier.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.race.racers import Racers
from tests.shop import Shop


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


@pytest.mark.parametrize("how", ["themselves", "each_other"])
def test_of_the_last_two_administrators_one_is_left(shop: Shop, racers: Racers, how: str) -> None:
    for _ in range(3):
        admins = [shop.user("admin") for _ in range(2)]
        headers = [{"authorization": f"Bearer {shop.session(admin, stepped_up=True)}"} for admin in admins]
        if how == "themselves":
            asked = [Asking("functions.me.delete_me", "/me", "DELETE", headers=one) for one in headers]
        else:
            asked = [
                Asking("functions.users.delete_user", f"/users/{other}", "DELETE", headers=one)
                for other, one in zip(admins[::-1], headers, strict=True)
            ]
        answers = racers.race(shop.url, asked)
        statuses = sorted(answer.status for answer in answers)
        assert statuses in ([204, 409], [204, 401], [204, 403], [204, 404]), answers
        left = [id for id in admins if shop.one("SELECT status FROM users WHERE id = ?", id) == "ACTIVE"]
        assert len(left) == 1
        shop.execute("DELETE FROM user_roles WHERE user_id = ?", left[0])
    shop.checked()

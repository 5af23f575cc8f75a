"""Several addresses or cards of one person become the default at once.

Goal: one is the default afterwards, and every request is answered. Method: four processes at a barrier.
"""

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.me.belongings import KINDS, add, defaults
from tests.race.racers import Racers, tally
from tests.shop import Shop


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


@pytest.mark.parametrize(("kind", "one"), [("addresses", "address"), ("cards", "card")])
def test_of_several_defaults_at_once_one_is_left(shop: Shop, racers: Racers, kind: str, one: str) -> None:
    token = shop.session(shop.user("customer"))
    headers = {"authorization": f"Bearer {token}"}
    for _ in range(3):
        made = [add(shop, kind, token).body["id"] for _ in range(2)]
        changing = [
            Asking(
                f"functions.me.update_{one}", f"/me/{kind}/{id}", "PATCH", body={"is_default": True}, headers=headers
            )
            for id in made
        ]
        body = {**KINDS[kind][0], "is_default": True}
        creating = [
            Asking(
                f"functions.me.create_{one}", f"/me/{kind}", headers=headers,
                body={**body, **({"card_token": f"tok-{shop.ids('x')[0]}"} if kind == "cards" else {})},
            )
            for _ in range(4)
        ]  # fmt: skip
        answers = racers.race(shop.url, [*changing, *creating])
        assert tally(answers) == {(200, None): 2, (201, None): 4}
        assert len(defaults(shop, kind)) == 1
    shop.checked()

"""Many administrators at once: each leaves a row in the audit log, and none waits for another.

Method: four processes on one database wait at a barrier; afterwards rows are counted, not answers only.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proof.asking import Asking
from tests.functions.audit.support import trail
from tests.functions.jobs.support import run
from tests.functions.jobs.test_seal_audit_logs import chained, links
from tests.functions.stock.support import adjust
from tests.race.racers import Racers, tally
from tests.shop import Shop

ADMINISTRATORS = 20


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    racers = Racers()
    yield racers
    racers.close()


def test_twenty_administrators_at_once_are_numbered_without_a_gap(shop: Shop, racers: Racers) -> None:
    variants = [shop.variant(stock=10) for _ in range(2)]
    tokens = [shop.session(shop.user("staff")) for _ in range(ADMINISTRATORS)]
    adjustments = [
        Asking(
            "functions.stock.adjust_stock",
            "/stock/adjustments",
            body={"variant_id": variants[number % 2], "delta": 1, "reason": "return"},
            headers={"authorization": f"Bearer {token}"},
        )
        for number, token in enumerate(tokens)
    ]
    answers = racers.race(shop.url, adjustments)
    assert tally(answers) == {(201, None): ADMINISTRATORS}
    # One read and one batch each: nobody had to run again because somebody else had taken a number.
    assert {answer.headers["server-timing"].rpartition("desc=")[2] for answer in answers} == {'"2"'}
    rows = trail(shop)
    assert [row["sequence"] for row in rows] == list(range(1, ADMINISTRATORS + 1))
    assert len({row["actor"] for row in rows}) == ADMINISTRATORS
    shop.checked()


def test_two_that_seal_at_once_chain_each_row_once(shop: Shop, racers: Racers) -> None:
    variant = shop.variant(stock=10)
    for _ in range(3):
        for _ in range(4):
            assert adjust(shop, variant, 1).status == 201
        racers.race(shop.url, [Asking("tests.race.run_job", "/jobs/seal_audit_logs") for _ in range(4)])
        run("seal_audit_logs")
        assert links(shop) == chained(shop)
    assert len(links(shop)) == 12

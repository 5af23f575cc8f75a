"""The same seed gives the same plan, and every wave can be carried out."""

from __future__ import annotations

from itertools import islice

from db.failpoints import POINTS, arm
from proof.plan import FAILPOINTS, NETWORK, Wave, digest, plan


def waves(seed: int, count: int = 120) -> list[Wave]:
    return [*islice(plan(seed, 3), count)]


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert waves(7) == waves(7)
    assert digest(7, 3) == digest(7, 3)
    assert len({digest(seed, 3) for seed in range(20)}) == 20


def test_every_kind_comes_in_every_round() -> None:
    names = [wave.name for wave in waves(1)]
    assert len(set(names)) == 6
    for start in range(0, len(names), 6):
        assert set(names[start : start + 6]) == set(names)


def test_waves_can_be_carried_out() -> None:
    kinds = set()
    for wave in waves(2):
        for customer in (one for phase in wave.phases for one in phase):
            assert customer
            assert customer[0].kind not in ("cancel", "release"), "there is nothing to cancel yet"
            for step in customer:
                kinds.add(step.kind)
                assert all(0 <= article < len(wave.stock) for article in step.pieces)
                assert step.copies >= 1
        assert all(kill.server == "engine" or 0 <= kill.server < 3 for kill in wave.kills)
        assert wave.kills == sorted(wave.kills, key=lambda kill: kill.after)
    assert kinds == {"buy", "cart", "cancel", "hold", "release", "adjust", "wait"}


def test_what_is_sold_exactly_is_what_the_stock_and_the_buyers_allow() -> None:
    for wave in waves(3):
        if wave.sold is None:
            continue
        buyers = sum(step.kind == "buy" for phase in wave.phases for one in phase for step in one)
        assert wave.sold == min(sum(wave.stock), buyers)


def test_its_failpoints_are_the_products_and_can_be_armed() -> None:
    assert set(FAILPOINTS) == {name for name in POINTS if not name.startswith("migration_")}
    try:
        arm(",".join(f"{name}={chance}" for name, chance in FAILPOINTS.items()))
    finally:
        arm("")
    assert all(0 < chance < 0.1 for chance in NETWORK.values())

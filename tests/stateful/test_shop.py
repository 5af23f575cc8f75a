"""The shop against its model: whatever is asked in whatever order, whoever dies in between.

`make stateful` is the long run, EXAMPLES=500 and as many as one likes; a difference is printed with the steps that
lead to it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from api.call import Answer, Call
from api.job import JobCall
from db.helper import Row
from db.sql import Statement, unregistered
from domain import orders
from functions.orders import cancel_order
from functions.stock import view_stock
from tests.engines.homes import ENGINE, Homes
from tests.stateful.machine import ShopMachine

checkout = import_module("functions.checkout")
LONG: Final = "EXAMPLES" in os.environ
EXAMPLES: Final = int(os.environ.get("EXAMPLES", 30 if ENGINE == "sqlite" else 4))
PLANTED: Final = 60
"""Examples within which a planted defect must be found."""
REACHED: Final = {
    *("after_begin, not kept", "before_commit, not kept", "after_commit, kept", "answer_lost, kept"),
    *("asked again", "asked for something else", "POST /checkout 201", "POST /checkout insufficient_stock"),
    *("POST /orders/…/payments 201", "POST /orders/…/cancel 200", "POST /orders/…/cancel illegal_transition"),
    *("POST /stock/adjustments 201", "POST /stock/reservations 201", "expire_reservations did some"),
}
"""What a run must have met at least once, else it says little."""


def run(homes: Homes, examples: int, **more: Any) -> Counter[str]:
    """What was seen. As many examples as asked for; the same ones each time, unless it is the long run."""

    class Machine(ShopMachine):
        pass

    Machine.homes, Machine.seen = homes, Counter()
    chosen = settings(
        **{
            "max_examples": examples,
            "stateful_step_count": 50 if LONG else 30,
            "deadline": None,
            "derandomize": not LONG,
            "database": None,
            "suppress_health_check": list(HealthCheck),
            "phases": (Phase.generate, Phase.shrink),
            **more,
        }
    )
    run_state_machine_as_test(Machine, settings=chosen)
    return Machine.seen


def test_whatever_is_asked_the_shop_is_as_the_model_says(homes: Homes) -> None:
    seen = run(homes, EXAMPLES)
    print(*(f"{count:6} {what}" for what, count in sorted(seen.items())), sep="\n")
    if ENGINE == "sqlite":
        assert REACHED - seen.keys() == set()


# -- planted defects: the machine finds each


def gives_one_too_many(patch: pytest.MonkeyPatch) -> None:
    """A cancellation gives back a piece that nobody had bought."""

    def given_back(*asked: Any) -> list[dict[str, Any]]:
        return [{**one, "quantity": one["quantity"] + 1} for one in orders.given_back(*asked)]

    patch.setattr(cancel_order, "given_back", given_back)


def forgets_its_key(patch: pytest.MonkeyPatch) -> None:
    """A checkout does not remember what it has answered."""
    commit = Call.commit

    async def forgetful(call: Call, statements: Sequence[Statement], answer: Answer[Any]) -> Answer[Any]:
        if call.asked.name == "checkout":
            call.asked = call.asked._replace(key=None)
        return await commit(call, statements, answer)

    patch.setattr(Call, "commit", forgetful)


def remembers_afterwards(patch: pytest.MonkeyPatch) -> None:
    """Answers are remembered in a batch of their own: only who dies between the two tells."""
    commit = Call.commit

    async def in_two(call: Call, statements: Sequence[Statement], answer: Answer[Any]) -> Answer[Any]:
        await call.judged()
        if call.asked.key is not None and statements:
            await call.write(statements)
            statements = []
        return await commit(call, statements, answer)

    patch.setattr(Call, "commit", in_two)


def leaves_what_is_over(patch: pytest.MonkeyPatch) -> None:
    """The jobs say that they have ended what is over, and have not."""

    async def idle(call: JobCall, rows: Sequence[Row], plan: Any) -> int:
        return len(rows)

    patch.setattr(JobCall, "settle", idle)


def counts_what_is_over_twice(patch: pytest.MonkeyPatch) -> None:
    """What is shown as available has the pieces of expired holds in it twice."""
    text = view_stock.VIEW.text.replace("s.stock + s.expired", "s.stock + 2 * s.expired")
    for number, name in enumerate(view_stock.VIEW.names, 1):
        text = text.replace(f"?{number}", f":{name}")
    patch.setattr(view_stock, "VIEW", unregistered(text))


def ignores_the_version(patch: pytest.MonkeyPatch) -> None:
    """Whatever If-Match says is right."""
    patch.setattr(Call, "match", lambda *_: None)


def keeps_the_hold_of_its_cart(patch: pytest.MonkeyPatch) -> None:
    """A checkout sells the pieces that are held for its cart, and leaves them held."""
    patch.setattr(checkout, "releases", lambda *_: ([], {}))


PLANTS = (
    gives_one_too_many,
    forgets_its_key,
    remembers_afterwards,
    leaves_what_is_over,
    counts_what_is_over_twice,
    ignores_the_version,
    keeps_the_hold_of_its_cart,
)


@pytest.mark.file_engine
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found(homes: Homes, monkeypatch: pytest.MonkeyPatch, plant: Any) -> None:
    plant(monkeypatch)
    with pytest.raises(Exception) as found:  # the model notices first, or a rule of the rows
        run(homes, PLANTED, phases=(Phase.generate,), report_multiple_bugs=False)
    told = "\n".join(getattr(found.value, "__notes__", ()))
    assert "state = Machine()\nstate.opened(" in told, "the steps that lead to it are printed"
    print(found.value, told, sep="\n")

"""What `tally prove` will do: waves of customers and the faults beside them, all drawn from one seed.

A wave opens articles of its own. Its customers, all at once, take their steps one after the other; a step is asked
again with its key until it is answered. Nothing here knows the clock or the shop: the same seed gives the same plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final, Literal, NamedTuple

WAVES_IN_DIGEST: Final = 100
FAILPOINTS: Final = {
    "after_begin": 0.002,
    "before_commit": 0.004,
    "after_commit": 0.004,
    "answer_lost": 0.004,
    "group_between_batches": 0.004,
    "group_before_commit": 0.004,
    "group_after_commit": 0.004,
    "job_before_round": 0.03,
    "job_after_round": 0.03,
}
"""The chance of each passage, in every server and in the jobs."""
NETWORK: Final = {"drop_answer": 0.02, "cut_answer": 0.02, "cut": 0.02, "delay": 0.03, "twice": 0.03}
"""The chance of each request; kinds of `proof.proxy.Fault`."""

Kind = Literal["buy", "cart", "cancel", "hold", "release", "adjust", "wait"]
Cart = dict[int, int]


class Step(NamedTuple):
    """`pieces` by the article's number in the wave; `seconds` of a hold or a wait; `copies` are sent at once."""

    kind: Kind
    pieces: Cart = {}  # noqa: RUF012 - a NamedTuple's default, never written
    seconds: float = 0
    copies: int = 1


class Kill(NamedTuple):
    """`after` so many seconds of the wave; `server` is a number, or the engine's own process."""

    after: float
    server: int | Literal["engine"]


class Wave(NamedTuple):
    """`phases` follow each other; of each all customers begin at once.

    `sold` is how many orders the stock must allow exactly, None where that depends on who comes first.
    """

    name: str
    stock: list[int]
    phases: list[list[list[Step]]]
    kills: list[Kill]
    sold: int | None = None

    @property
    def customers(self) -> int:
        return sum(map(len, self.phases))


def plan(seed: int, servers: int) -> Iterator[Wave]:
    """The waves of a seed, without end: each kind in turn, in another order every round."""
    draw = Random(seed)  # noqa: S311 - a test's dice
    kinds = [_last_pieces, _overlapping, _cancelling, _holding, _adjusting, _clicking]
    while True:
        for make in draw.sample(kinds, len(kinds)):
            wave = make(draw)
            yield wave._replace(kills=_kills(draw, servers))


def digest(seed: int, servers: int) -> str:
    """What identifies a plan: SHA-256 of its first hundred waves."""
    return hashlib.sha256(json.dumps([*islice(plan(seed, servers), WAVES_IN_DIGEST)]).encode()).hexdigest()


def _kills(draw: Random, servers: int) -> list[Kill]:
    found = [Kill(round(draw.uniform(0, 1.5), 3), draw.randrange(servers)) for _ in range(draw.randint(0, 3))]
    if draw.random() < 0.25:
        found.append(Kill(round(draw.uniform(0, 0.5), 3), "engine"))
    return sorted(found, key=lambda kill: kill.after)


def _last_pieces(draw: Random) -> Wave:
    stock, buyers = draw.randint(1, 10), draw.randint(20, 40)
    return Wave("last pieces", [stock], [[[Step("buy", {0: 1})] for _ in range(buyers)]], [], min(stock, buyers))


def _overlapping(draw: Random) -> Wave:
    """Carts of several lines, each in an order of its own, for half of what they want."""
    articles, buyers = 6, draw.randint(16, 30)

    def cart() -> Cart:
        return {article: draw.randint(1, 2) for article in draw.sample(range(articles), 3)}

    customers = [[Step(draw.choice(("buy", "cart")), cart())] for _ in range(buyers)]
    return Wave("overlapping carts", [draw.randint(4, buyers) for _ in range(articles)], [customers], [])


def _cancelling(draw: Random) -> Wave:
    """Half of the buyers cancel, with several clicks, while others want what they give back."""
    buyers = draw.randint(16, 30)
    customers: list[list[Step]] = []
    for number in range(buyers):
        steps = [Step("buy", {draw.randrange(2): draw.randint(1, 2)})]
        customers.append([*steps, Step("cancel", copies=draw.randint(1, 3))] if number % 2 else steps)
    return Wave("cancelling", [buyers // 2, buyers // 2], [customers], [])


def _holding(draw: Random) -> Wave:
    """Everything is held, for a second; some is released by hand. Then it is sold, exactly."""
    stock = draw.randint(4, 10)
    holders = [[Step("hold", {0: 1}, seconds=1)] for _ in range(stock)]
    for holder in draw.sample(holders, 2):
        holder.append(Step("release", copies=2))
    buyers = [[Step("wait", seconds=1.1), Step("buy", {0: 1})] for _ in range(2 * stock)]
    return Wave("expiring holds", [stock], [holders, buyers], [], stock)


def _adjusting(draw: Random) -> Wave:
    customers = [
        [Step("adjust", {0: draw.choice((-2, -1, 1, 2, 3))}, copies=draw.randint(1, 2))]
        for _ in range(draw.randint(6, 12))
    ]
    customers += [[Step("buy", {0: draw.randint(1, 3)})] for _ in range(draw.randint(8, 16))]
    draw.shuffle(customers)
    return Wave("adjustments", [draw.randint(5, 20)], [customers], [])


def _clicking(draw: Random) -> Wave:
    """Each clicks several times, with one key: one order each."""
    buyers = draw.randint(6, 12)
    customers = [[Step("buy", {0: 1}, copies=draw.randint(3, 6))] for _ in range(buyers)]
    return Wave("the same key", [buyers + 5], [customers], [], buyers)

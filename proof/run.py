"""`tally prove`: a scratch shop, waves of customers, deaths and a bad network; then what is lost, double, violated."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from api.auth import EVERYTHING, new_key
from api.clock import milliseconds_now
from db import failpoints, invariants
from db.helper import Busy, Database, Unavailable, Unknown, connect, insert_statements
from db.migrate import Migrations
from proof import servers
from proof.books import SqlBooks
from proof.customers import Customers
from proof.memory import Memory, Verdict, compare
from proof.plan import NETWORK, Wave, digest, plan
from proof.proxy import Kind, Proxy
from proof.servers import Mortal, Setting

SERVERS: Final = 3
TEND_SECONDS: Final = 0.02
INVARIANTS_EVERY: Final = 5
"""Waves; and at the end."""
PATIENCE_SECONDS: Final = 30
"""How long our own questions wait for an engine that was killed."""


class Home(NamedTuple):
    """Where the shop is: its database for us, the one that the servers are told (through a proxy), and its process."""

    url: str
    environment: dict[str, str]
    process: Any
    proxy: Proxy | None


class Wish(NamedTuple):
    engine: str
    seconds: float
    seed: int
    plant: str | None = None


class State:
    """What is told while it runs, and at the end."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.counts: Counter[str] = Counter()
        self.verdict = Verdict([], [], [])
        self.wave: Wave | None = None
        self.began = time.monotonic()
        self.found_after: float | None = None
        self.kept: str | None = None
        """The folder with the shop's data and the servers' log, where something is wrong."""
        self.ended = False

    def told(self) -> dict[str, Any]:
        """Everything, for JSON."""
        names = ("waves", "acted", "tries", "acknowledged", "refused", "late", "deaths", "engine_deaths", "faults")
        return {
            "engine": self.wish.engine,
            "seed": self.wish.seed,
            "plan": digest(self.wish.seed, SERVERS),
            "plant": self.wish.plant,
            "seconds": round(time.monotonic() - self.began, 1),
            **{name: self.counts[name] for name in names},
            **{name: len(found) for name, found in self.verdict._asdict().items()},
            "found_after": self.found_after,
            "findings": self.verdict.all()[:20],
            "kept": self.kept,
        }


async def prove(wish: Wish, tell: Callable[[State], None]) -> State:
    """Run it to its time's end, or to the first wave after which something is wrong; `tell` is called often."""
    failpoints.arm("")  # whatever the environment says: the judge must live
    state = State(wish)
    folder = Path(tempfile.mkdtemp(prefix="tallystick-prove-"))
    try:
        with _home(wish, folder) as home:
            await _proved(state, home, folder, tell)
        state.ended = True
    except (KeyboardInterrupt, asyncio.CancelledError):
        state.ended = True  # by the person before it: nothing is there to look at
        raise
    finally:
        if state.verdict.good and state.ended:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            state.kept = str(folder)
    return state


@contextmanager
def _home(wish: Wish, folder: Path) -> Iterator[Home]:
    secret = {"SECRET_KEY": secrets.token_hex(32), "LOG_LEVEL": "error", "STAGE": "test", "UNPAID_ORDER_TTL": "0"}
    if wish.engine == "sqlite":
        url = f"sqlite:///{folder}/shop.db"
        yield Home(url, {**secret, "DATABASE_URL": url, "DATABASE_TOKEN": "", "DATABASE_REPLICA_URL": ""}, None, None)
        return
    from tools.engines import engine

    with engine(wish.engine, folder) as started, Proxy(started.url, remember=False) as proxy:
        os.environ["DATABASE_TOKEN"] = started.token
        yield Home(started.url, {**secret, **started.environment, "DATABASE_URL": proxy.url}, started.process, proxy)


async def _proved(state: State, home: Home, folder: Path, tell: Callable[[State], None]) -> None:
    from cli.serve import listen, url_of

    db = await connect(home.url)
    setting = Setting(str(folder / "servers.log"), home.environment, str(state.wish.seed), state.wish.plant)
    with ExitStack() as ended:
        try:
            await Migrations().up(db)
            staff = await _staff_key(db)
            mortals, urls, proxies = [], [], []
            for number in range(SERVERS):
                listening = ended.enter_context(listen("127.0.0.1", 0))
                mortals.append(Mortal(f"server {number}", servers.serve, setting, listening))
                proxies.append(ended.enter_context(Proxy(url_of(listening), remember=False)))
                urls.append(proxies[-1].url)
            mortals.append(Mortal("jobs", servers.work, setting))
            if home.proxy is not None:
                proxies.append(home.proxy)
            for one in mortals:
                ended.callback(one.end)
            _spoil(proxies, state.wish.seed)
            customers = Customers(urls, staff, state.wish.seed)
            for proxy in proxies:
                ended.callback(proxy.cut)
            try:
                await _waves(state, home, db, customers, mortals, proxies, tell)
            finally:
                await customers.close()
        finally:
            await db.close()


def _spoil(proxies: list[Proxy], seed: int) -> None:
    """A bad network from now on: each kind of fault has its chance at each request."""
    for number, proxy in enumerate(proxies):
        kinds: list[Kind] = [*NETWORK]  # type: ignore[list-item]
        draw = random.Random(f"{seed}:network:{number}")  # noqa: S311 - a test's dice
        for kind in kinds:
            chance = NETWORK[kind]
            proxy.fault(kind, when=lambda _, chance=chance, draw=draw: draw.random() < chance, seconds=0.3)  # type: ignore[misc]


async def _waves(
    state: State, home: Home, db: Database, customers: Customers, mortals: list[Mortal], proxies: list[Proxy],
    tell: Callable[[State], None],
) -> None:  # fmt: skip
    books = SqlBooks(db)
    for number, wave in enumerate(plan(state.wish.seed, SERVERS)):
        if time.monotonic() - state.began > state.wish.seconds and number:
            break
        state.wave = wave
        memory = Memory(began=milliseconds_now())
        variants = []
        for stock in wave.stock:
            [variant] = await _patient(lambda stock=stock: books.open(1, stock))  # type: ignore[misc]
            memory.opened[variant] = stock
            variants.append(variant)
        tending = asyncio.create_task(_tend(state, wave, home, mortals, proxies, customers, tell))
        try:
            for phase in wave.phases:
                going = asyncio.create_task(customers.go(phase, memory, variants))
                await asyncio.wait({going, tending}, return_when=asyncio.FIRST_COMPLETED)
                if tending.done():
                    going.cancel()
                    await asyncio.gather(going, return_exceptions=True)
                    tending.result()
                await going
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)
        await _judge(state, db, wave, memory, number)
        if not state.verdict.good:
            state.found_after = round(time.monotonic() - state.began, 1)
            return
    for finding in await _patient(lambda: invariants.check(db)):
        if not finding.holds:
            state.verdict.violated.append(f"invariant {finding.name}: {len(finding.rows)} rows")


async def _judge(state: State, db: Database, wave: Wave, memory: Memory, number: int) -> None:
    ask_all = number % INVARIANTS_EVERY == INVARIANTS_EVERY - 1
    verdict = await _patient(lambda: compare(db, memory, all_invariants=ask_all))
    if wave.sold is not None and len(memory.orders) != wave.sold:
        verdict.violated.append(f"{wave.name}: {len(memory.orders)} orders placed, the stock allows {wave.sold}")
    for kept, found in zip(state.verdict, verdict, strict=True):
        kept.extend(found)
    state.counts["waves"] += 1
    state.counts["late"] += memory.late
    state.counts["acknowledged"] += memory.acknowledged + sum(one.cancelled for one in memory.orders.values())


async def _tend(
    state: State, wave: Wave, home: Home, mortals: list[Mortal], proxies: list[Proxy], customers: Customers,
    tell: Callable[[State], None],
) -> None:  # fmt: skip
    """Kill as planned, start anew what has died, tell how it goes. Raises RuntimeError for a server with a defect."""
    began, kills = time.monotonic(), list(wave.kills)
    while True:
        while kills and time.monotonic() - began >= kills[0].after:
            victim = kills.pop(0).server
            if victim != "engine":
                await asyncio.to_thread(mortals[victim].kill)
            elif home.process is not None:
                await asyncio.to_thread(home.process.kill)
                await asyncio.to_thread(home.process.start)
                state.counts["engine_deaths"] += 1
        for one in mortals:
            one.tend()
            if one.failed:
                raise RuntimeError(one.failed)
        state.counts["deaths"] = sum(one.deaths for one in mortals) + state.counts["engine_deaths"]
        state.counts["faults"] = sum(proxy.faults for proxy in proxies)
        state.counts.update(
            {name: customers.counts[name] - state.counts[name] for name in ("acted", "tries", "refused")}
        )
        tell(state)
        await asyncio.sleep(TEND_SECONDS)


async def _patient(ask: Callable[[], Any]) -> Any:
    """Our own questions do not mind an engine that is just being started."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await ask()
        except (Busy, Unavailable, Unknown):
            if time.monotonic() > patience:
                raise
            await asyncio.sleep(0.2)


async def _staff_key(db: Database) -> tuple[str, str]:
    """A key that may do everything, and its id."""
    from cli.keys import key_row

    key = new_key()[0]
    row = key_row(key, "prove", [EVERYTHING])
    await db.batch(insert_statements("api_keys", [row]))
    return key, str(row["id"])

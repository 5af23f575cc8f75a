"""Reads that a libSQL replica answers, and those that it cannot: the primary answers, in time, and never anything old
to who brings a token.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from db.engines import libsql as libsql_engine
from proof.proxy import Proxy
from tests.engines.homes import LibsqlHomes
from tests.shop import Reply, Shop

pytestmark = pytest.mark.server

SCRIPT = Path(__file__).resolve().parents[1] / "faults" / "stale_reads.py"
FUTURE = str(2**63 - 2)
PATIENT_SECONDS = 30
"""Whatever answers at all has answered by then, on a busy machine too; less means that somebody gave up earlier."""


class Replicated(NamedTuple):
    """A shop whose functions reach its replica through a proxy."""

    shop: Shop
    homes: LibsqlHomes
    proxy: Proxy

    def catches_up(self) -> None:
        """Wait until the replica has every article and order of the primary."""
        raw = self.homes.raw(self.homes.replica_url(self.shop.url))
        counts = "SELECT (SELECT count(*) FROM products) + (SELECT count(*) FROM orders)"
        wanted = self.shop.one(counts)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if raw.execute(counts).fetchone() == (wanted,):
                    break
            except Exception:  # noqa: S110 - the replica does not know the shop yet
                pass
            time.sleep(0.02)
        raw.close()

    def asked(self) -> int:
        """How many requests the replica has had since the last call."""
        count = len(self.proxy.requests)
        self.proxy.forget()
        return count


@pytest.fixture
def replicated(libsql: LibsqlHomes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replicated]:
    monkeypatch.setenv("DATABASE_TOKEN", libsql.token)
    monkeypatch.setattr(libsql_engine, "REPLICA_SECONDS", PATIENT_SECONDS)
    monkeypatch.setattr(libsql_engine, "REPLICA_REST_SECONDS", 600.0)
    monkeypatch.setenv("QUERY_TIMEOUT_MS", str(PATIENT_SECONDS * 1_000))
    home = libsql.home(tmp_path)
    with Proxy(libsql.replica_url(home.url)) as proxy:
        monkeypatch.setenv("DATABASE_REPLICA_URL", proxy.url)
        shop = Shop(home, monkeypatch)
        found = Replicated(shop, libsql, proxy)
        shop.variant(stock=50)
        found.catches_up()
        yield found
        shop.close()
    libsql.give_back(home)


@pytest.fixture
def impatient(replicated: Replicated, monkeypatch: pytest.MonkeyPatch) -> None:
    """The replica of the test's shop is given up soon."""
    monkeypatch.setattr(libsql_engine, "REPLICA_SECONDS", 0.4)


def ordered(shop: Shop) -> tuple[str, str]:
    """A new order, and the token of its answer."""
    [variant] = shop.rows("SELECT id FROM variants LIMIT 1")[0]
    body = shop.checkout_body({variant: 1})
    reply = shop.post("/checkout", body, idempotency_key=f"key-{time.monotonic_ns()}")
    assert reply.status == 201
    return reply.body["id"], reply.headers["read-after"]


def look(shop: Shop, order: str, token: str | None) -> Reply:
    return shop.get(f"/orders/{order}", api_key=shop.admin, headers={"read-after": token} if token else None)


def timed(ask: Any) -> tuple[Any, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def test_a_buyer_finds_an_order_at_once_while_others_write() -> None:
    """`python tests/faults/stale_reads.py` looks a thousand times."""
    arguments = ["--orders", "30", "--writers", "4", "--readers", "3"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], stdout=subprocess.PIPE, text=True, timeout=170, env={**os.environ}
    )
    told = json.loads(done.stdout)
    assert (told["with_token"]["missing"], told["wrong"]) == (0, [])
    assert told["without"]["missing"] > 0, "the replica was never behind"
    assert told["with_token"]["by_replica"] > 0, "the replica never answered"


def test_the_catalog_and_who_brings_a_token_ask_the_replica(replicated: Replicated) -> None:
    shop = replicated.shop
    replicated.asked()
    assert len(shop.get("/products").body["items"]) == 1
    assert replicated.asked() > 0
    order, token = ordered(shop)
    assert replicated.asked() == 0
    assert look(shop, order, None).status == 200
    assert replicated.asked() == 0
    assert look(shop, order, token).status == 200
    assert replicated.asked() == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_a_replica_that_is_away_is_waited_for_once(replicated: Replicated, how: str) -> None:
    shop, server = replicated.shop, replicated.homes.server
    assert server.replica is not None
    order, token = ordered(shop)
    if how == "frozen":
        server.replica.pause()
    else:
        server.replica.kill()
    try:
        first, seconds = timed(lambda: shop.get("/products"))
        assert (first.status, len(first.body["items"])) == (200, 1)
        assert seconds < PATIENT_SECONDS
        replicated.asked()
        assert (shop.get("/products").status, replicated.asked()) == (200, 0)
        assert (look(shop, order, token).status, replicated.asked()) == (200, 0)
    finally:
        if how == "frozen":
            server.replica.resume()
        else:
            server.replica.start()


def test_a_replica_that_is_back_is_asked_again(replicated: Replicated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsql_engine, "REPLICA_REST_SECONDS", 0.3)
    shop = replicated.shop
    replicated.proxy.fault("cut")
    assert shop.get("/products").status == 200
    replicated.proxy.heal()
    time.sleep(0.31)
    replicated.asked()
    assert shop.get("/products").status == 200
    assert replicated.asked() > 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["cut", "drop_answer", "cut_answer", "swallow_answer", "black_hole", "drip"])
def test_an_answer_of_the_replica_that_is_lost_is_asked_of_the_primary(replicated: Replicated, kind: Any) -> None:
    order, token = ordered(replicated.shop)
    replicated.proxy.fault(kind)
    reply, seconds = timed(lambda: look(replicated.shop, order, token))
    assert (reply.status, reply.body["id"]) == (200, order)
    assert seconds < PATIENT_SECONDS


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "token",
    [FUTURE, str(2**63), str(2**64), "9" * 5_000, "garbage", "-1", "1.0", "", "0",
     "0000002a-00000003-00004fd7-00000000000000000000000000000000"],
)  # fmt: skip
def test_a_forged_token_does_no_harm(replicated: Replicated, token: str) -> None:
    """Who forges one may wait, or see what a replica sees; nobody else notices."""
    shop = replicated.shop
    order, _ = ordered(shop)
    replicated.catches_up()
    reply, seconds = timed(lambda: look(shop, order, token))
    assert reply.status == 200
    assert seconds < PATIENT_SECONDS
    replicated.asked()
    assert shop.get("/products").status == 200
    assert replicated.asked() > 0, "the replica is left alone because of a token that somebody made up"


@pytest.mark.usefixtures("impatient")
def test_a_token_that_the_replica_cannot_reach_is_waited_for_once(replicated: Replicated) -> None:
    shop = replicated.shop
    order, token = ordered(shop)
    until = time.monotonic() + PATIENT_SECONDS
    replicated.asked()
    assert (look(shop, order, FUTURE).status, replicated.asked()) == (200, 1)
    # A replica that has just begun asks the primary itself, and is not waited for in vain.
    while look(shop, order, FUTURE).status == 200 and replicated.asked() and time.monotonic() < until:
        pass
    assert (look(shop, order, FUTURE).status, replicated.asked()) == (200, 0)
    assert (look(shop, order, token).status, replicated.asked()) == (200, 0)
    assert shop.get("/products").status == 200
    assert replicated.asked() > 0, "who brings no token may still ask"


def test_the_catalog_outlives_the_primary(replicated: Replicated) -> None:
    shop, server = replicated.shop, replicated.homes.server
    order, token = ordered(shop)
    assert look(shop, order, token).status == 200
    server.primary.pause()
    try:
        reply, seconds = timed(lambda: shop.get("/products"))
        assert (reply.status, len(reply.body["items"])) == (200, 1)
        assert seconds < PATIENT_SECONDS
        assert look(shop, order, token).status == 200
    finally:
        server.primary.resume()


@pytest.mark.parametrize("other", ["empty", "nowhere"])
def test_a_replica_without_the_schema_is_no_replica(
    libsql: LibsqlHomes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """Its migrations may be on the way, or it may be another shop's."""
    monkeypatch.setenv("DATABASE_TOKEN", libsql.token)
    home = libsql.home(tmp_path)
    url = libsql.empty() if other == "empty" else home.url.replace("/shop", "/nowhere")
    monkeypatch.setenv("DATABASE_REPLICA_URL", libsql.replica_url(url))
    shop = Shop(home, monkeypatch)
    shop.variant()
    assert len(shop.get("/products").body["items"]) == 1
    shop.close()
    libsql.give_back(home)

"""Each failpoint kills its process where it says, and what is in the database afterwards is what its sentence says."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api import database
from api.settings import SettingsError, read_settings
from db import failpoints
from db.engines.sqlite import binding
from db.helper import Database, connect
from db.migrate import Migrations
from db.sql import Statement, unregistered
from functions.jobs.expire_reservations import expire_reservations
from tests.functions.stock.support import held
from tests.shop import LOOP, Shop, migrated_file

ADD = unregistered(
    "INSERT INTO producers (id, name, slug, created_at, updated_at) VALUES (:id, 'One', :slug, :at, :at)"
)
NOW = "2026-01-01T00:00:00.000Z"

Work = Callable[[Path], Any]


def died(path: Path, text: str, work: Work) -> bool:
    """Whether a process with these failpoints was killed in `work`; False if it came to its end. Anything else raises.

    A forked one: what it does is not in this process, whose connections it leaves alone.
    """
    child = os.fork()
    if child == 0:
        try:
            database._client = None
            failpoints.arm(text)
            work(path)
            os._exit(0)
        finally:
            os._exit(1)
    patience = time.monotonic() + 30
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > patience:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"{text}: the child does not end")
        time.sleep(0.01)
    assert ended[1] in (0, signal.SIGKILL), f"{text}: the child failed"
    return ended[1] == signal.SIGKILL


def producers(path: Path) -> int:
    connection = binding.connect(str(path))
    try:
        return int(connection.execute("SELECT count(*) FROM producers").fetchone()[0])
    finally:
        connection.close()


def adding(id_: str) -> list[Statement]:
    return [ADD(id=f"producer_{id_ * 26}", slug=f"producer-{id_}", at=NOW)]


def add_one(path: Path) -> None:
    async def work() -> None:
        db = await connect(f"sqlite:///{path}")
        await db.batch(adding("0"))
        await db.close()

    asyncio.run(work())


def add_three_at_once(path: Path) -> None:
    async def work() -> None:
        db: Any = await connect(f"sqlite:///{path}", serving=True)
        db.live = 3
        await asyncio.gather(*[db.batch(adding(one)) for one in "012"])
        await db.close()

    asyncio.run(work())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return migrated_file(tmp_path / "shop.db")


@pytest.mark.file_engine
@pytest.mark.parametrize(
    ("point", "work", "kept"),
    [
        ("after_begin", add_one, 0),
        ("before_commit", add_one, 0),
        ("after_commit", add_one, 1),
        ("group_between_batches", add_three_at_once, 0),
        ("group_before_commit", add_three_at_once, 0),
        ("group_after_commit", add_three_at_once, 3),
    ],
)
def test_a_batch_is_kept_or_not(file: Path, point: str, work: Work, kept: int) -> None:
    assert died(file, f"{point}=#1", work)
    assert producers(file) == kept


@pytest.mark.file_engine
@pytest.mark.parametrize(("work", "kept"), [(add_one, 1), (add_three_at_once, 3)])
def test_without_failpoints_nobody_dies(file: Path, work: Work, kept: int) -> None:
    assert not died(file, "", work)
    assert producers(file) == kept


def test_a_batch_on_any_engine(shop: Shop) -> None:
    """Before COMMIT, or before it is sent, nothing is kept; afterwards everything is."""

    def work(_: Path) -> None:
        async def add() -> None:
            db = await connect(shop.url)
            await db.batch(adding("7"))

        asyncio.run(add())

    assert died(Path(), "before_commit=#1", work)
    assert shop.one("SELECT count(*) FROM producers") == 0
    assert died(Path(), "after_commit=#1", work)
    assert shop.one("SELECT count(*) FROM producers") == 1


def test_an_answer_is_lost_and_found_again(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(stock=5): 2})
    assert died(Path(), "answer_lost=#1", lambda _: shop.post("/checkout", body, idempotency_key="lost"))
    assert shop.one("SELECT count(*) FROM orders") == 1
    answer = shop.post("/checkout", body, idempotency_key="lost")
    assert (answer.status, answer.headers["idempotency-replayed"]) == (201, "true")
    assert shop.one("SELECT count(*) FROM orders") == 1


def test_a_job_dies_before_and_after_its_round(shop: Shop) -> None:
    held(shop, shop.variant(stock=5), 2)
    shop.execute(
        "UPDATE reservations SET created_at = '2026-01-01T00:00:00.000Z', expires_at = '2026-01-01T00:01:00.000Z'"
    )

    def work(_: Path) -> None:
        LOOP.run_until_complete(expire_reservations.run())

    assert died(Path(), "job_before_round=#1", work)
    assert shop.one("SELECT status FROM reservations") == "HELD"
    assert died(Path(), "job_after_round=#1", work)
    assert shop.one("SELECT status FROM reservations") == "EXPIRED"
    assert not died(Path(), "job_after_round=#9", work)


@pytest.mark.file_engine
def test_a_migration_dies_between_versions(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"

    def work(_: Path) -> None:
        async def up() -> None:
            await Migrations().up(await connect(f"sqlite:///{path}"))

        asyncio.run(up())

    async def version() -> int:
        db: Database = await connect(f"sqlite:///{path}")
        try:
            status = await Migrations().status(db)
            assert not status.problems  # never between two
            return Migrations().latest - status.pending
        finally:
            await db.close()

    assert died(path, "migration_before_version=#3", work)
    assert asyncio.run(version()) == 2
    assert died(path, "migration_after_version=#1", work)
    assert asyncio.run(version()) == 3
    assert not died(path, "", work)
    assert asyncio.run(version()) == Migrations().latest


def test_the_same_seed_dies_at_the_same_passage() -> None:
    def passage(seed: str) -> int:
        failpoints.arm("after_begin=0.01", seed)
        due = failpoints._armed["after_begin"]
        return next(number for number in range(10_000) if due())

    try:
        assert passage("7") == passage("7")
        assert len({passage(str(seed)) for seed in range(5)}) > 1
        failpoints.arm("after_begin=1")
        assert failpoints._armed["after_begin"]()
    finally:
        failpoints.arm("")
    assert failpoints._armed == {}
    failpoints.failpoint("after_begin")  # off: this process goes on


@pytest.mark.parametrize("wrong", ["nowhere=0.1", "after_begin", "after_begin=2", "after_begin=#0", "after_begin=-1"])
def test_what_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="FAILPOINTS"):
        failpoints.arm(wrong)
    assert failpoints._armed == {}


def test_production_refuses_them() -> None:
    environment = {"SECRET_KEY": "x" * 32, "FAILPOINTS": "answer_lost=0.5"}
    assert read_settings({**environment, "STAGE": "test"}).stage == "test"
    with pytest.raises(SettingsError, match="FAILPOINTS"):
        read_settings({**environment, "STAGE": "production"})

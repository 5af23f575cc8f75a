"""@job: rounds, time, rows that break a rule, and a database that is busy or away."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from api import telemetry
from api.job import ATTEMPTS_MAX, JOBS, SECONDS_MAX, Job, JobCall, _loop, job
from db.helper import Busy, Conflict, Refused, Unavailable, Unknown
from db.sql import Sql, Statement
from tests.shop import Shop

LEFT = Sql("SELECT id, due_at FROM outbox WHERE id > :after ORDER BY id LIMIT 2", "outbox.pk", registered=False)
NAME = Sql("UPDATE outbox SET topic = :topic WHERE id = :id", "outbox.pk", registered=False)


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def told() -> Iterator[list[logging.LogRecord]]:
    """What was logged at level error and above."""
    handler = Kept()
    telemetry.log.addHandler(handler)
    yield handler.records
    telemetry.log.removeHandler(handler)


@pytest.fixture
def declared() -> Iterator[None]:
    """Jobs of a test are forgotten after it."""
    before = dict(JOBS)
    yield
    JOBS.clear()
    JOBS.update(before)


def fill(shop: Shop, *topics: str) -> None:
    for number, topic in enumerate(topics):
        shop.insert(
            "outbox", id=f"outbox_{number}", topic="old.topic", entity="test", entity_id=topic, payload="{}",
            due_at=shop.now, created_at=shop.now, updated_at=shop.now,
        )  # fmt: skip


def naming(shop: Shop, topics: dict[str, str], seen: list[int] | None = None) -> Job:
    """A job that names each row of the outbox; a topic without a dot breaks a CHECK."""

    @job("rate(1 minute)")
    async def name_topics(call: JobCall) -> dict[str, int]:
        [rows] = await call.read(LEFT(after=call.after["id"] if call.after else ""))

        def plan(some: Any) -> list[Statement]:
            if seen is not None:
                seen.append(len(some))
            return [NAME(id=row["id"], topic=topics[row["id"]]) for row in some]

        return {"named": await call.settle(rows, plan)}

    return name_topics


def test_declares_its_name_schedule_and_module(shop: Shop, declared: None) -> None:
    made = naming(shop, {})
    assert JOBS["name_topics"] is made
    assert (made.name, made.schedule, made.module) == ("name_topics", "rate(1 minute)", "tests.api.test_job")


def test_sums_its_rounds_until_nothing_is_left(shop: Shop, declared: None) -> None:
    fill(shop, *"abcde")
    seen: list[int] = []
    answer = naming(shop, {f"outbox_{number}": "new.topic" for number in range(5)}, seen).handler({}, None)
    assert answer == {"job": "name_topics", "named": 5, "failed": 0, "rounds": 4, "finished": True}
    assert seen == [2, 2, 1]
    assert shop.one("SELECT count(*) FROM outbox WHERE topic = 'new.topic'") == 5


def test_a_row_that_breaks_a_rule_is_told_and_passed_over(
    shop: Shop, declared: None, told: list[logging.LogRecord]
) -> None:
    fill(shop, *"abcd")
    topics = {f"outbox_{number}": "new.topic" for number in range(4)} | {"outbox_1": "bad"}
    before = telemetry.ROWS_FAILED["name_topics"]
    answer = naming(shop, topics).handler({}, None)
    assert answer == {"job": "name_topics", "named": 3, "failed": 1, "rounds": 3, "finished": True}
    assert telemetry.ROWS_FAILED["name_topics"] == before + 1
    [record] = told
    assert record.facts == {  # type: ignore[attr-defined]
        "job": "name_topics", "row": "outbox_1", "error": "Conflict", "why": "outbox_topic_has_its_form",
    }  # fmt: skip
    assert dict(shop.rows("SELECT id, topic FROM outbox"))["outbox_1"] == "old.topic"


def test_begins_no_round_after_its_time(shop: Shop, declared: None) -> None:
    fill(shop, *"abcde")
    made = naming(shop, {f"outbox_{number}": "new.topic" for number in range(5)})
    answer = asyncio.get_event_loop().run_until_complete(made.run(0))
    assert (answer["named"], answer["rounds"], answer["finished"]) == (2, 1, False)


def test_keeps_within_the_time_that_the_platform_leaves(
    shop: Shop, declared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[float] = []

    async def run(self: Job, left: float = SECONDS_MAX) -> dict[str, Any]:
        seconds.append(left)
        return {}

    monkeypatch.setattr(Job, "run", run)

    class Context:
        def __init__(self, milliseconds: int) -> None:
            self.get_remaining_time_in_millis = lambda: milliseconds

    made = naming(shop, {})
    for context in (None, Context(10_000), Context(900_000)):
        made.handler({}, context)
    assert seconds == [SECONDS_MAX, 7.0, SECONDS_MAX]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("locked"), 503),
        (Refused("stale"), 503),
        (Unknown("no answer"), 503),
        (Unavailable("full"), 500),
        (Conflict("check", "x"), 500),
    ],
)
def test_a_busy_database_is_left_to_the_next_schedule_and_worse_is_raised(
    shop: Shop, declared: None, error: Exception, status: int
) -> None:
    runs: list[bool] = []

    @job("rate(1 minute)")
    async def fail_always(call: JobCall) -> dict[str, int]:
        runs.append(True)
        raise error

    before = telemetry.REQUESTS["fail_always", status]
    if status == 503:
        answer = fail_always.handler({}, None)
        assert answer == {"job": "fail_always", "failed": 0, "rounds": 0, "finished": False}
    else:
        with pytest.raises(type(error)):
            fail_always.handler({}, None)
    assert telemetry.REQUESTS["fail_always", status] == before + 1
    assert len(runs) == (ATTEMPTS_MAX if isinstance(error, Refused | Conflict | Unknown) else 1)


def test_makes_a_loop_where_there_is_none(shop: Shop, declared: None) -> None:
    loop = asyncio.get_event_loop()
    answers: list[Any] = []

    def fresh() -> None:
        made = _loop()
        answers.append((made is loop, made is _loop()))
        made.close()

    thread = threading.Thread(target=fresh)
    thread.start()
    thread.join()
    assert answers == [(False, True)]

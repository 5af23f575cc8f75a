"""The job that counts the events of each day."""

import random
from typing import Any

import pytest

from tests.functions.jobs.support import run
from tests.shop import Shop

RECOUNT = """
    SELECT substr(timestamp, 1, 10), event_type, count(*), count(DISTINCT user_id), count(DISTINCT session_id)
    FROM analytics_events GROUP BY 1, 2 ORDER BY 1, 2
"""
DAILY = "SELECT date, event_type, events, users, sessions FROM analytics_daily ORDER BY 1, 2"


def record(shop: Shop, *events: tuple[str, str, str | None]) -> None:
    """Events of (type, day or time in November, session)."""
    sent = [
        {
            "event_type": kind,
            "timestamp": f"2026-11-{when}" + ("T12:00:00.000Z" if len(when) == 2 else ""),
            "session_id": session,
        }
        for kind, when, session in events
    ]
    assert shop.post("/events", {"events": sent}).status == 201


def test_counts_events_people_and_visits_of_each_day_and_type(shop: Shop) -> None:
    record(shop, ("a", "01", "s1"), ("a", "01", "s1"), ("a", "01", "s2"), ("b", "01", None), ("a", "02", "s1"))
    for number in range(3):
        shop.insert(
            "users", id=f"user_{number}", email=f"{number}@example.com", created_at=shop.now, updated_at=shop.now
        )
    for number, person in enumerate([0, 1, 1]):
        shop.insert(
            "analytics_events", id=f"event_{number}", event_type="a", timestamp="2026-11-02T00:00:00.000Z",
            user_id=f"user_{person}", created_at=shop.now,
        )  # fmt: skip
    assert run("roll_up_analytics") == {
        "job": "roll_up_analytics", "days": 2, "failed": 0, "rounds": 2, "finished": True,
    }  # fmt: skip
    assert shop.rows(DAILY) == [
        ("2026-11-01", "a", 3, 0, 2),
        ("2026-11-01", "b", 1, 0, 0),
        ("2026-11-02", "a", 4, 2, 1),
    ]
    assert shop.one("SELECT count(*) FROM analytics_stale_days") == 0
    shop.checked()


def test_changes_nothing_the_second_time(shop: Shop) -> None:
    record(shop, ("a", "01", "s1"))
    run("roll_up_analytics")
    with shop.unchanged():
        assert run("roll_up_analytics")["days"] == 0


def test_counts_a_late_event_too(shop: Shop) -> None:
    record(shop, ("a", "01", "s1"), ("a", "02", "s1"))
    run("roll_up_analytics")
    record(shop, ("a", "01", "s2"), ("late", "01", None))
    assert run("roll_up_analytics")["days"] == 1
    assert shop.rows(DAILY) == [
        ("2026-11-01", "a", 2, 0, 2),
        ("2026-11-01", "late", 1, 0, 0),
        ("2026-11-02", "a", 1, 0, 1),
    ]
    shop.checked()


def test_a_day_has_all_its_hours_and_no_other(shop: Shop) -> None:
    record(
        shop, ("a", "01T00:00:00.000Z", None), ("a", "01T23:59:59.999Z", None), ("a", "02T00:00:00.000Z", None)
    )  # fmt: skip
    run("roll_up_analytics")
    assert shop.rows(DAILY) == [("2026-11-01", "a", 2, 0, 0), ("2026-11-02", "a", 1, 0, 0)]


@pytest.mark.parametrize("seed", range(3))
def test_equals_a_recount_whatever_comes_in_between(shop: Shop, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        record(
            shop,
            *[
                (chance.choice("abc"), f"{chance.randint(1, 15):02}", chance.choice(["s1", "s2", "s3", None]))
                for _ in range(chance.randint(1, 40))
            ],
        )
        if chance.random() < 0.7:
            run("roll_up_analytics")
        shop.checked()
    answer = run("roll_up_analytics")
    assert answer["finished"]
    assert shop.rows(DAILY) == shop.rows(RECOUNT)


def test_works_in_bounded_rounds(shop: Shop) -> None:
    record(shop, *[("a", f"{day:02}", None) for day in range(1, 16)])
    answer = run("roll_up_analytics")
    assert (answer["days"], answer["rounds"], answer["finished"]) == (15, 6, True)
    assert shop.rows(DAILY) == shop.rows(RECOUNT)


def test_goes_on_where_a_run_that_was_too_short_has_stopped(shop: Shop) -> None:
    class Hurried:
        def get_remaining_time_in_millis(self) -> int:
            return 1

    record(shop, *[("a", f"{day:02}", None) for day in range(1, 6)])
    first = run("roll_up_analytics", Hurried())
    assert (first["days"], first["rounds"], first["finished"]) == (3, 1, False)
    shop.checked()
    second = run("roll_up_analytics", Hurried())
    assert second["days"] == 2
    assert shop.rows(DAILY) == shop.rows(RECOUNT)


def test_a_day_that_is_none_stops_no_other(shop: Shop) -> None:
    record(shop, ("a", "01", None))
    for day in ("", "someday", "2026-1-1"):
        shop.insert("analytics_stale_days", date=day, created_at=shop.now, updated_at=shop.now)
    assert run("roll_up_analytics")["days"] == 1
    assert shop.rows(DAILY) == [("2026-11-01", "a", 1, 0, 0)]


def test_a_large_day_is_counted_by_its_index(shop: Shop) -> None:
    rows: list[Any] = [
        (
            f"event_{number:06}",
            "ab"[number % 2],
            f"2026-11-0{1 + number % 2}T00:00:00.{number % 1000:03}Z",
            f"s{number % 7}",
        )
        for number in range(20_000)
    ]
    with shop.raw.together():
        shop.raw.executemany(
            "INSERT INTO analytics_events (id, event_type, timestamp, session_id, created_at) "
            f"VALUES (?, ?, ?, ?, '{shop.now}')",
            rows,
        )
    run("roll_up_analytics")
    assert shop.rows(DAILY) == shop.rows(RECOUNT) == [
        ("2026-11-01", "a", 10_000, 0, 7), ("2026-11-02", "b", 10_000, 0, 7),
    ]  # fmt: skip

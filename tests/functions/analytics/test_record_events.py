"""POST /events."""

import json
from typing import Any

import pytest

from api import clock
from tests.shop import Shop


def at(days: float) -> str:
    """The time `days` from now."""
    return clock.stamp(clock.milliseconds_now() + int(days * 86_400_000))


def test_records_one_event(shop: Shop) -> None:
    sent = {
        "event_type": "pageview",
        "session_id": "s1",
        "properties": {"path": "/μέλι", "n": 3, "deep": {"a": [1, None]}},
    }
    reply = shop.post("/events", {**sent, "timestamp": "2026-11-01T23:59:59.999Z"})
    assert (reply.status, reply.body) == (201, {"recorded": 1})
    [(event_id, kind, timestamp, user, session, properties, created)] = shop.rows("SELECT * FROM analytics_events")
    assert event_id.startswith("event_")
    assert (kind, timestamp, user, session) == ("pageview", "2026-11-01T23:59:59.999Z", None, "s1")
    assert json.loads(properties) == sent["properties"]
    assert created == shop.one("SELECT created_at FROM analytics_stale_days")
    assert shop.rows("SELECT date FROM analytics_stale_days") == [("2026-11-01",)]


def test_an_event_without_a_time_happened_now(shop: Shop) -> None:
    shop.post("/events", {"event_type": "pageview"})
    assert shop.rows("SELECT timestamp = created_at, properties FROM analytics_events") == [(1, "{}")]


def test_records_a_hundred_in_one_round_trip_and_in_their_order(shop: Shop) -> None:
    reply = shop.post("/events", {"events": [{"event_type": f"click.{number}"} for number in range(100)]})
    assert (reply.status, reply.body) == (201, {"recorded": 100})
    assert reply.headers["server-timing"].endswith('desc="1"')
    assert shop.rows("SELECT event_type FROM analytics_events ORDER BY id") == [(f"click.{n}",) for n in range(100)]


def test_gives_the_same_answer_to_the_same_key(shop: Shop) -> None:
    for _ in range(2):
        assert shop.post("/events", {"event_type": "pageview"}, idempotency_key="once").status == 201
    assert shop.one("SELECT count(*) FROM analytics_events") == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"events": []}, "/events"),
        ({"events": [{"event_type": "a"}] * 101}, "/events"),
        ({"event_type": "a", "events": [{"event_type": "a"}]}, ""),
        ({"session_id": "s", "events": [{"event_type": "a"}]}, ""),
        ({"event_type": "Page View"}, "/event_type"),
        ({"event_type": "x" * 101}, "/event_type"),
        ({"event_type": "a", "session_id": ""}, "/session_id"),
        ({"event_type": "a", "session_id": "s" * 101}, "/session_id"),
        ({"event_type": "a", "user_id": "user_1"}, "/user_id"),
        ({"event_type": "a", "properties": []}, "/properties"),
        ({"event_type": "a", "properties": {"x": "y" * 4_089}}, "/properties"),
        ({"event_type": "a", "properties": {"x": "é" * 2_045}}, "/properties"),
        ({"event_type": "a", "timestamp": "2026-11-21"}, "/timestamp"),
        ({"event_type": "a", "timestamp": "2026-09-31T08:00:00.000Z"}, "/timestamp"),
        ({"event_type": "a", "timestamp": "2026-11-01T24:00:00.000Z"}, "/timestamp"),
        (
            {"events": [{"event_type": "a"}, {"event_type": "a", "timestamp": "2000-01-01T00:00:00.000Z"}]},
            "/events/1/timestamp",
        ),
    ],
)
def test_refuses_what_is_no_event(shop: Shop, body: dict[str, Any], pointer: str) -> None:
    with shop.unchanged():
        reply = shop.post("/events", body)
    assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (422, [pointer])
    assert "invalid.other" not in reply.text


def test_refuses_properties_nested_too_deeply_and_numbers_that_are_none(shop: Shop) -> None:
    deep: dict[str, Any] = {}
    for _ in range(10):
        deep = {"d": deep}
    with shop.unchanged():
        reply = shop.post("/events", {"event_type": "a", "properties": deep})
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/properties")
        assert shop.post("/events", '{"event_type": "a", "properties": {"n": 1e999}}').status == 400
        assert shop.post("/events", '{"event_type": "a", "properties": %s}' % ("[" * 5_000)).status == 400
    assert shop.post("/events", {"event_type": "a", "properties": deep["d"]}).status == 201
    assert shop.post("/events", {"event_type": "a", "properties": {"x": "y" * 4_088}}).status == 201


@pytest.mark.parametrize(("days", "status"), [(-399.9, 201), (-400.1, 422), (0.9, 201), (1.1, 422)])
def test_refuses_times_that_cannot_be_meant(shop: Shop, days: float, status: int) -> None:
    reply = shop.post("/events", {"event_type": "a", "timestamp": at(days)})
    assert reply.status == status
    if status == 422:
        assert reply.body["errors"][0]["pointer"] == "/timestamp"
        assert "must lie between" in reply.body["errors"][0]["detail"]
    assert shop.one("SELECT count(*) FROM analytics_events") == (status == 201)


def test_one_wrong_event_keeps_all_out(shop: Shop) -> None:
    with shop.unchanged():
        reply = shop.post("/events", {"events": [{"event_type": "a"}, {"event_type": "A"}]})
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/events/1/event_type")

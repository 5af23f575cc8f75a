"""GET /analytics/daily."""

from typing import Any
from urllib.parse import quote

import pytest

from functions.jobs.roll_up_analytics import handler as roll_up
from tests.shop import Shop


def listed(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    reply = shop.get(f"/analytics/daily?{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    items: list[dict[str, Any]] = reply.body["items"]
    return items


@pytest.fixture
def counted(shop: Shop) -> Shop:
    events = [
        {"event_type": kind, "timestamp": f"2026-11-{day:02}T08:00:00.000Z", "session_id": f"s{number % 2}"}
        for day in range(1, 5)
        for kind in ("pageview", "click")
        for number in range(day)
    ]
    assert shop.post("/events", {"events": events}).status == 201
    roll_up({}, None)
    return shop


def test_lists_days_the_latest_first(counted: Shop) -> None:
    with counted.unchanged():
        found = listed(counted)
    assert [(one["date"], one["event_type"], one["events"], one["sessions"], one["users"]) for one in found] == [
        (f"2026-11-0{day}", kind, day, min(day, 2), 0) for day in (4, 3, 2, 1) for kind in ("pageview", "click")
    ]
    assert found[0]["updated_at"] == counted.one("SELECT max(updated_at) FROM analytics_daily")


def test_filters_by_type_and_days(counted: Shop) -> None:
    found = listed(counted, "event_type=click&since=2026-11-02&until=2026-11-03")
    assert [(one["date"], one["event_type"]) for one in found] == [("2026-11-03", "click"), ("2026-11-02", "click")]
    assert [one["date"] for one in listed(counted, "until=2026-11-01")] == ["2026-11-01", "2026-11-01"]
    assert [one["date"] for one in listed(counted, "since=2026-11-04")] == ["2026-11-04", "2026-11-04"]
    assert listed(counted, "event_type=purchase") == []


@pytest.mark.parametrize(("query", "number"), [("", 8), ("event_type=click&", 4), ("until=2026-11-03&", 6)])
def test_pages_without_loss_or_repetition(counted: Shop, query: str, number: int) -> None:
    everything = [(one["date"], one["event_type"]) for one in listed(counted, f"{query}limit=100")]
    found, cursor = [], ""
    while True:
        reply = counted.get(f"/analytics/daily?{query}limit=3{cursor}", api_key=counted.admin)
        found += [(one["date"], one["event_type"]) for one in reply.body["items"]]
        if reply.body["next_cursor"] is None:
            break
        cursor = f"&cursor={quote(reply.body['next_cursor'])}"
    assert found == everything
    assert len(found) == number


def test_refuses_what_is_no_day(shop: Shop) -> None:
    for query in ("since=2026-11", "until=2026-11-21T08:00:00.000Z", "day=2026-11-21"):
        assert shop.get(f"/analytics/daily?{query}", api_key=shop.admin).status == 422


def test_asks_once_and_says_who_calls_before_what_is_wrong(shop: Shop) -> None:
    assert shop.get("/analytics/daily", api_key=shop.admin).headers["server-timing"].endswith('desc="1"')
    for query in ("cursor=AAAA", "nonsense=1"):
        assert shop.get(f"/analytics/daily?{query}", api_key=shop.api_key("orders:read")).status == 403
        assert shop.get(f"/analytics/daily?{query}", api_key="sk_nobody").status == 401
        assert shop.get(f"/analytics/daily?{query}", api_key=shop.admin).status == 422


def test_refuses_without_the_permission(shop: Shop) -> None:
    assert shop.get("/analytics/daily").status == 401
    assert shop.get("/analytics/daily", api_key=shop.api_key("stock:read")).status == 403
    assert shop.get("/analytics/daily", api_key=shop.api_key("analytics:read")).status == 200

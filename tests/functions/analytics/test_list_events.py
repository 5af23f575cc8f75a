"""GET /events."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.shop import Shop


def listed(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    reply = shop.get(f"/events?{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    items: list[dict[str, Any]] = reply.body["items"]
    return items


def told(shop: Shop, query: str = "") -> list[tuple[str, str]]:
    return [(one["event_type"], one["timestamp"][8:10]) for one in listed(shop, query)]


def user(shop: Shop, events: str) -> str:
    """A user who has done `events`, straight into the tables: nobody can log in yet."""
    user_id = shop.ids("user")[0]
    shop.insert("users", id=user_id, email="a@example.com", created_at=shop.now, updated_at=shop.now)
    for day, kind in enumerate(events.split(), 1):
        shop.insert(
            "analytics_events", id=shop.ids("event")[0], event_type=kind, timestamp=f"2026-10-{day:02}T08:00:00.000Z",
            user_id=user_id, created_at=shop.now,
        )  # fmt: skip
    return user_id


@pytest.fixture
def filled(shop: Shop) -> Shop:
    events = [
        {"event_type": kind, "timestamp": f"2026-11-{day:02}T08:00:00.000Z"}
        for day in range(1, 6)
        for kind in ("pageview", "click")
    ]
    assert shop.post("/events", {"events": events}).status == 201
    return shop


def test_lists_events_newest_first(filled: Shop) -> None:
    filled.post("/events", {"event_type": "pageview", "session_id": "s", "properties": {"a": [1]}})
    with filled.unchanged():
        first = listed(filled)[0]
    assert first == {
        "id": filled.one("SELECT id FROM analytics_events WHERE session_id = 's'"),
        "event_type": "pageview",
        "timestamp": first["created_at"],
        "user_id": None,
        "session_id": "s",
        "properties": {"a": [1]},
        "created_at": first["created_at"],
    }
    assert told(filled, "limit=100")[1:4] == [("click", "05"), ("pageview", "05"), ("click", "04")]


def test_filters_by_type_time_and_user(filled: Shop) -> None:
    assert told(filled, "event_type=click") == [("click", f"0{day}") for day in (5, 4, 3, 2, 1)]
    window = "since=2026-11-02T08:00:00.000Z&until=2026-11-04T08:00:00.000Z"
    assert told(filled, f"event_type=click&{window}") == [("click", "03"), ("click", "02")]
    assert told(filled, window) == [(kind, day) for day in ("03", "02") for kind in ("click", "pageview")]
    someone = user(filled, "click pageview click")
    assert told(filled, f"user={someone}") == [("click", "03"), ("pageview", "02"), ("click", "01")]
    assert told(filled, f"user={someone}&event_type=click") == [("click", "03"), ("click", "01")]
    assert told(filled, f"user={someone}&since=2026-10-02T00:00:00.000Z&until=2026-10-03T00:00:00.000Z") == [
        ("pageview", "02")
    ]
    assert told(filled, f"user={filled.ids('user')[0]}") == []


@pytest.mark.parametrize("query", ["", "event_type=click&", "until=2026-11-05T00:00:00.000Z&"])
def test_pages_without_loss_or_repetition(filled: Shop, query: str) -> None:
    filled.post("/events", {"events": [{"event_type": "click"}] * 7})  # all in one millisecond
    everything = [one["id"] for one in listed(filled, f"{query}limit=100")]
    found, cursor = [], ""
    while True:
        reply = filled.get(f"/events?{query}limit=3{cursor}", api_key=filled.admin)
        found += [item["id"] for item in reply.body["items"]]
        if reply.body["next_cursor"] is None:
            break
        cursor = f"&cursor={quote(reply.body['next_cursor'])}"
    assert found == everything
    assert len(found) >= 8


def test_refuses_forged_cursors_and_unknown_parameters(filled: Shop) -> None:
    for query in ("cursor=AAAA", "type=click", "since=yesterday", "user=me"):
        assert filled.get(f"/events?{query}", api_key=filled.admin).status == 422


def test_asks_once_and_says_who_calls_before_what_is_wrong(shop: Shop) -> None:
    assert shop.get("/events", api_key=shop.admin).headers["server-timing"].endswith('desc="1"')
    for query in ("cursor=AAAA", "nonsense=1"):
        assert shop.get(f"/events?{query}", api_key=shop.api_key("orders:read")).status == 403
        assert shop.get(f"/events?{query}", api_key="sk_nobody").status == 401
        assert shop.get(f"/events?{query}", api_key=shop.admin).status == 422


def test_refuses_without_the_permission(shop: Shop) -> None:
    assert shop.get("/events").status == 401
    assert shop.get("/events", api_key=shop.api_key("orders:read")).status == 403
    assert shop.get("/events", api_key=shop.api_key("analytics:read")).status == 200

"""GET /security-events."""

from __future__ import annotations

from typing import Any

import pytest

from tests.shop import Shop


def event(shop: Shop, kind: str, user: str | None = None) -> str:
    event_id = shop.ids("event")[0]
    shop.insert("security_events", id=event_id, user_id=user, type=kind, ip_address="0" * 64, created_at=shop.now)
    now = shop.now
    shop.insert(
        "personal_values", row_id=event_id, name="ip_address", user_id=user, salt="0" * 32, value='"192.0.2.1"',
        created_at=now, updated_at=now,
    )  # fmt: skip
    return event_id


def events(shop: Shop, query: str = "") -> Any:
    reply = shop.get(f"/security-events{query}", api_key=shop.admin)
    assert reply.status == 200, reply.text
    return reply.body["items"]


def test_tells_filters_and_pages(shop: Shop) -> None:
    user = shop.user()
    ids = [event(shop, kind, whose) for kind in ("log_in", "log_in_failed") for whose in (user, None)]
    assert events(shop)[0] == {
        "id": ids[3], "user_id": None, "type": "log_in_failed", "ip_address": "192.0.2.1", "user_agent": None,
        "payload": {}, "created_at": events(shop)[0]["created_at"],
    }  # fmt: skip
    assert [one["id"] for one in events(shop)] == ids[::-1]
    assert [one["id"] for one in events(shop, f"?user={user}")] == [ids[2], ids[0]]
    assert [one["id"] for one in events(shop, "?type=log_in")] == [ids[1], ids[0]]
    assert [one["id"] for one in events(shop, f"?type=log_in&user={user}")] == [ids[0]]
    first = shop.get("/security-events?limit=3", api_key=shop.admin).body
    second = shop.get(f"/security-events?limit=3&cursor={first['next_cursor']}", api_key=shop.admin).body
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    shop.execute("DELETE FROM personal_values")
    assert {one["ip_address"] for one in events(shop)} == {None}


@pytest.mark.parametrize("query", ["user=me", "type=LOG", "cursor=x", "since=x"])
def test_refuses_a_wrong_question(shop: Shop, query: str) -> None:
    reply = shop.get(f"/security-events?{query}", api_key=shop.admin)
    assert (reply.status, reply.body["code"]) == (422, "invalid")


def test_needs_the_permission(shop: Shop) -> None:
    assert shop.get("/security-events", token=shop.session(shop.user("staff"))).status == 403

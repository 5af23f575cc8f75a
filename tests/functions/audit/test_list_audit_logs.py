"""GET /audit-logs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.stock.support import adjust
from tests.shop import Shop


def logs(shop: Shop, query: str = "", **sent: Any) -> Any:
    reply = shop.get(f"/audit-logs{query}", **(sent or {"api_key": shop.admin}))
    assert reply.status == 200, reply.text
    return reply.body["items"]


def test_tells_a_row_with_its_personal_values_until_they_are_erased(shop: Shop) -> None:
    user, variant = shop.user("staff"), shop.variant()
    body = {"variant_id": variant, "delta": 2, "reason": "receipt"}
    shop.post("/stock/adjustments", body, token=shop.session(user), headers={"user-agent": "Till/1"})
    [row] = logs(shop)
    address = row["ip_address"]
    assert address and row["user_agent"] == "Till/1"
    assert (row["sequence"], row["actor"], row["action"], row["entity_id"]) == (1, user, "stock:adjust", variant)
    assert (row["before"], row["after"]["delta"]) == (None, 2)
    shop.execute("DELETE FROM personal_values WHERE user_id = ?", user)
    assert logs(shop) == [{**row, "ip_address": None, "user_agent": None}]


def test_filters(shop: Shop) -> None:
    users = [shop.user("staff"), shop.user("admin")]
    variants = [shop.variant(), shop.variant()]
    for number in range(8):
        body = {"variant_id": variants[number // 4], "delta": 1, "reason": "return"}
        shop.post("/stock/adjustments", body, token=shop.session(users[number % 2]))
    shop.post("/products", {"title": "Honey", "price": 5}, token=shop.session(users[1]))
    assert [row["sequence"] for row in logs(shop)] == list(range(9, 0, -1))
    assert len(logs(shop, "?entity=variants")) == 8
    assert [row["sequence"] for row in logs(shop, f"?entity=variants&entity_id={variants[0]}")] == [4, 3, 2, 1]
    assert [row["sequence"] for row in logs(shop, f"?actor={users[0]}")] == [7, 5, 3, 1]
    assert [row["action"] for row in logs(shop, f"?actor={users[1]}&entity=products")] == ["products:create"]
    one = f"?entity=variants&entity_id={variants[1]}&actor={users[1]}"
    assert [row["sequence"] for row in logs(shop, one)] == [8, 6]
    time = logs(shop)[4]["created_at"]
    since, until = logs(shop, f"?since={time}"), logs(shop, f"?until={time}")
    assert len(since) + len(until) == 9 and all(row["created_at"] < time for row in until)
    assert logs(shop, "?entity=nothing") == logs(shop, "?actor=nobody") == []


def test_pages(shop: Shop) -> None:
    variant = shop.variant()
    for _ in range(5):
        adjust(shop, variant, 1)
    for query in ("", "entity=variants", f"entity=variants&entity_id={variant}"):
        seen, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = shop.get(f"/audit-logs?limit=2&{query}{more}".replace("&&", "&"), api_key=shop.admin).body
            seen += [row["sequence"] for row in page["items"]]
            cursor = page["next_cursor"]
        assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query",
    ["entity_id=x", "since=yesterday", "actor=eleni@example.com", "until=2026-02-31T00:00:00.000Z", "cursor=x", "a=b"],
)
def test_refuses_a_wrong_question(shop: Shop, query: str) -> None:
    with shop.unchanged():
        reply = shop.get(f"/audit-logs?{query}", api_key=shop.admin)
    assert (reply.status, reply.body["code"]) == (422, "invalid")


def test_says_how_a_time_is_written(shop: Shop) -> None:
    reply = shop.get("/audit-logs?since=2026-11-27T13:00:00Z", api_key=shop.admin)
    assert reply.status == 422
    [wrong] = reply.body["errors"]
    assert (wrong["pointer"], wrong["code"]) == ("/since", "time_form") and "2026-11-21T08:00:00.000Z" in wrong[
        "detail"
    ]


def test_needs_the_permission(shop: Shop) -> None:
    staff = shop.user("staff")
    assert shop.get("/audit-logs", token=shop.session(staff)).status == 403
    shop.grant(staff, "audit:read")
    assert logs(shop, token=shop.session(staff)) == []

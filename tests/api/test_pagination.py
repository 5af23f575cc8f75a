"""Cursors: what we wrote for this list and this caller, and nothing else."""

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.pagination import next_link, read_cursor, write_cursor
from api.problems import Problem
from tests.shop import Shop

NEW, OLD = b"new-secret-of-at-least-32-bytes-0123", b"old-secret-of-at-least-32-bytes-0123"


def refused(cursor: str, secrets: tuple[bytes, ...] = (NEW,), context: str = "list") -> None:
    with pytest.raises(Problem) as told:
        read_cursor(secrets, context, cursor)
    assert told.value.errors == [("/cursor", "cursor", {})]


@pytest.mark.parametrize("values", [[], ["a", 1], [None, 2**63], ["Μέλι θυμαριού", "x" * 300], [1.5, True]])
def test_a_cursor_gives_back_its_sort_key(values: list[Any]) -> None:
    cursor = write_cursor((NEW,), "list", values)
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor), "fit for a URL"
    assert read_cursor((NEW,), "list", cursor) == values


def test_any_changed_character_is_refused() -> None:
    cursor = write_cursor((NEW,), "list", ["2026-11-21", "product_1"])
    for place in range(0, len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        refused(cursor[:place] + other + cursor[place + 1 :])


@pytest.mark.parametrize("cursor", ["", "x", "====", "é" * 20, "a b", "\0", "0" * 999, "W10", "e30="])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    refused(cursor)


def test_a_cursor_of_another_list_or_secret_is_refused() -> None:
    cursor = write_cursor((NEW,), "list", ["a"])
    refused(cursor, context="other")
    refused(cursor, secrets=(OLD,))


def test_a_payload_signed_by_a_plain_hash_is_refused() -> None:
    import hashlib

    payload = b'["a"]'
    forged = hashlib.sha256(NEW + payload).digest()[:12] + payload
    refused(base64.urlsafe_b64encode(forged).rstrip(b"=").decode())


def test_secrets_rotate() -> None:
    before = write_cursor((OLD,), "list", ["a"])
    assert read_cursor((NEW, OLD), "list", before) == ["a"]
    assert write_cursor((NEW, OLD), "list", ["a"]) == write_cursor((NEW,), "list", ["a"])
    refused(before, secrets=(NEW,))


def test_the_link_keeps_what_was_asked() -> None:
    link = next_link("/products", "q=m%C3%A9li&cursor=old&limit=2&size=", "abc")
    matched = re.fullmatch('<(.*)>; rel="next"', link)
    assert matched
    assert parse_qs(urlsplit(matched[1]).query, keep_blank_values=True) == {
        "q": ["méli"], "limit": ["2"], "size": [""], "cursor": ["abc"]
    }  # fmt: skip


def walk(shop: Shop, target: str, **sent: Any) -> list[Any]:
    """Every item of a list, page by page along its links."""
    items: list[Any] = []
    while True:
        reply = shop.get(target, **sent)
        assert reply.status == 200, reply.text
        items += reply.body["items"]
        if reply.body["next_cursor"] is None:
            assert "link" not in reply.headers
            return items
        matched = re.fullmatch('<(.*)>; rel="next"', reply.headers["link"])
        assert matched and reply.body["next_cursor"] in matched[1]
        target = matched[1]


@pytest.mark.parametrize("limit", [1, 2, 6, 7, 8, 100])
def test_pages_are_the_whole_list_once(shop: Shop, limit: int) -> None:
    variant = shop.variant(stock=100)
    placed = [shop.order({variant: 1})["id"] for _ in range(7)]
    found = [order["id"] for order in walk(shop, f"/orders?limit={limit}", api_key=shop.admin)]
    assert found == placed[::-1]


def test_what_comes_meanwhile_moves_no_page(shop: Shop) -> None:
    variant = shop.variant(stock=100)
    placed = [shop.order({variant: 1})["id"] for _ in range(6)]
    first = shop.get("/orders?limit=3", api_key=shop.admin).body
    shop.clock(1)
    shop.order({variant: 1})
    second = shop.get(f"/orders?limit=3&cursor={first['next_cursor']}", api_key=shop.admin).body
    assert [order["id"] for order in first["items"] + second["items"]] == placed[::-1]
    assert second["next_cursor"] is None


def test_a_cursor_belongs_to_its_list_filter_and_caller(shop: Shop) -> None:
    variant = shop.variant(stock=100)
    for _ in range(3):
        shop.order({variant: 1})
    cursor = shop.get("/orders?limit=1", api_key=shop.admin).body["next_cursor"]
    assert shop.get(f"/orders?limit=2&cursor={cursor}", api_key=shop.admin).status == 200, "another limit may be asked"
    for target, key in (
        (f"/orders?limit=1&status=PENDING&cursor={cursor}", shop.admin),
        (f"/orders?limit=1&cursor={cursor}", shop.api_key("*")),
        (f"/stock/moves?limit=1&cursor={cursor}", shop.admin),
    ):
        reply = shop.get(target, api_key=key)
        assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/cursor")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "", "1e1", "99999999999999999999"])
def test_refuses_a_limit_that_is_none(shop: Shop, limit: str) -> None:
    reply = shop.get(f"/orders?limit={limit}", api_key=shop.admin)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/limit")

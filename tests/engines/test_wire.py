"""What goes over the wire: requests and connections are counted, and the read-after token is followed, by a proxy."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from db.engines import d1 as d1_engine
from proof.proxy import Proxy
from tests.functions.carts.support import guest
from tests.shop import Shop


def sell(shop: Shop, lines: dict[str, int], key: str) -> str:
    reply = shop.post("/checkout", shop.checkout_body(lines), idempotency_key=key)
    assert reply.status == 201, reply.text
    assert len(reply.body["items"]) == len(lines)
    return reply.headers["read-after"]


@pytest.mark.parametrize("lines", [1, 100])
def test_a_checkout_is_two_requests_whatever_its_lines(far: tuple[Shop, Proxy], lines: int) -> None:
    shop, proxy = far
    variants = [shop.variant(stock=10) for _ in range(lines)]
    sell(shop, {variants[0]: 1}, "warm")
    proxy.forget()
    sell(shop, dict.fromkeys(variants, 2), "counted")
    assert (len(proxy.requests), len(proxy.answers), proxy.connections) == (2, 2, 0)
    assert [b"INSERT INTO orders" in message.body for message in proxy.requests] == [False, True]
    shop.checked()


def test_the_first_checkout_of_a_process_is_two_requests_on_one_connection(far: tuple[Shop, Proxy]) -> None:
    shop, proxy = far
    sell(shop, {shop.variant(stock=10): 1}, "first")
    assert (len(proxy.requests), proxy.connections) == (2, 1)


def test_a_cart_of_100_lines_is_two_requests(far: tuple[Shop, Proxy]) -> None:
    shop, proxy = far
    cart = guest(shop, {shop.variant(stock=10): 1 for _ in range(100)})
    proxy.forget()
    reply = shop.post(
        "/checkout", shop.checkout_body(cart_id=cart.id), idempotency_key="key", headers={"x-cart-token": cart.token}
    )
    assert (reply.status, len(reply.body["items"]), len(proxy.requests)) == (201, 100, 2)


def test_a_refused_checkout_and_a_replay_are_one_request(far: tuple[Shop, Proxy]) -> None:
    """Both are decided by the read."""
    shop, proxy = far
    variant = shop.variant(stock=2)
    sell(shop, {variant: 1}, "key")
    proxy.forget()
    sell(shop, {variant: 1}, "key")
    assert len(proxy.requests) == 1
    short = shop.post("/checkout", shop.checkout_body({variant: 3}), idempotency_key="other")
    assert (short.status, len(proxy.requests)) == (409, 2)


def test_the_token_of_a_write_goes_out_with_the_read_after_it(far: tuple[Shop, Proxy]) -> None:
    """D1's bookmark is a header of both; libSQL's index is a member of both, and goes to a replica alone."""
    shop, proxy = far
    proxy.forget()
    token = sell(shop, {shop.variant(): 1}, "key")
    bookmarks = [message.header("x-d1-bookmark") for message in proxy.answers]
    if bookmarks[1] is None:
        [told, _] = json.loads(gzip.decompress(proxy.answers[1].body))["results"]
        assert told["response"]["result"]["replication_index"] == token
        return
    assert [message.header("x-d1-bookmark") for message in proxy.requests] == ["first-primary"] * 2
    assert bookmarks[1] == token > (bookmarks[0] or "")
    for sent, asked in ((None, "first-primary"), (token, token), ("'no bookmark'", "first-primary")):
        proxy.forget()
        headers = {} if sent is None else {"read-after": sent}
        assert shop.get("/orders", api_key=shop.admin, headers=headers).status == 200
        assert {message.header("x-d1-bookmark") for message in proxy.requests} == {asked}
    proxy.forget()
    assert shop.get("/products").status == 200  # of the catalog, a replica will do
    assert {message.header("x-d1-bookmark") for message in proxy.requests} == {"first-unconstrained"}


def test_a_bookmark_that_is_refused_is_not_sent_again(far: tuple[Shop, Proxy], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, proxy = far
    monkeypatch.setattr(d1_engine, "_TOKEN", re.compile(".*"))
    order = shop.order({shop.variant(): 1})
    proxy.forget()
    reply = shop.get(f"/orders/{order['id']}", api_key=shop.admin, headers={"read-after": "no bookmark"})
    assert (reply.status, reply.body["id"]) == (200, order["id"])
    if len(proxy.requests) > 1:
        assert [message.header("x-d1-bookmark") for message in proxy.requests] == ["no bookmark", "first-primary"]

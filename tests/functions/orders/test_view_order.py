"""GET /orders/{order}."""

import json
from typing import Any

import pytest

from api import call as api_call
from api import clock, guests
from domain.orders import is_buyers
from tests.functions.orders.support import PHONE, WRONG_PHONE, alike, brought, guess, to_the_next_window, use_up
from tests.shop import Shop

ORDER = {
    "id", "reference", "status", "version", "currency", "subtotal", "discount", "tax", "shipping", "total", "items",
    "customer", "shipping_address", "billing_address", "notes", "metadata", "placed_at", "expires_at", "paid_at",
    "fulfilled_at", "shipped_at", "delivered_at", "cancelled_at",
}  # fmt: skip
ITEM = {
    "id", "product_id", "variant_id", "producer_id", "title", "variant_title", "status", "quantity",
    "backordered_quantity", "unit_price", "total",
}  # fmt: skip
UNKNOWN = "order_01kaktq2m8e8q8k3v9m1c4x7zd"


def test_answers_what_checkout_answered(shop: Shop) -> None:
    first, second = shop.variant(price=1299), shop.variant(price=50)
    body = {"notes": "ring twice", "metadata": {"gift": True, "n": [1, 2.5, None]}}
    billing = {"line1": "Stadiou 2", "city": "Athens", "postal_code": "10564", "country": "GR"}
    sent = shop.checkout_body({first: 2, second: 3}, billing_address=billing, **body)
    placed = shop.post("/checkout", sent, idempotency_key="k")
    assert placed.status == 201
    reply = shop.get(placed.headers["location"], api_key=shop.admin)
    assert reply.status == 200
    assert reply.body == placed.body
    assert list(reply.body) == list(placed.body)
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["server-timing"].endswith('desc="1"')


def test_carries_every_field_of_the_contract(shop: Shop) -> None:
    order = brought(shop, "DELIVERED")
    assert order.keys() == ORDER
    assert order["items"][0].keys() == ITEM
    assert order["version"] == 5
    assert order["placed_at"] <= order["paid_at"] <= order["fulfilled_at"] <= order["shipped_at"]
    assert order["shipped_at"] <= order["delivered_at"]
    assert order["cancelled_at"] is None


def test_finds_by_reference_in_any_case_with_or_without_the_dash(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    reference = order["reference"]
    for text in (reference, reference.lower(), reference.replace("-", ""), reference.replace("-", "").lower()):
        assert shop.get(f"/orders/{text}", api_key=shop.admin).body == order


def test_a_guest_sees_the_order_with_its_phone(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    for key in (order["id"], order["reference"]):
        reply = shop.get(f"/orders/{key}?phone={PHONE}")
        assert (reply.status, reply.body) == (200, order)
    # A plus that was not encoded is a space by the rules of query strings.
    assert shop.get(f"/orders/{order['id']}?phone=+306912345678").status == 200


def test_the_key_that_placed_it_sees_it(shop: Shop) -> None:
    placing, other = shop.api_key(), shop.api_key("products:read")
    order = shop.order({shop.variant(): 1}, api_key=placing)
    assert shop.get(f"/orders/{order['id']}", api_key=placing).body == order
    assert shop.get(f"/orders/{order['id']}", api_key=other).status == 404
    assert shop.get(f"/orders/{order['id']}?phone={PHONE}", api_key=other).status == 200
    assert shop.get(f"/orders/{order['id']}", api_key=shop.api_key("orders:read")).status == 200


def test_refuses_not_found(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    stranger = shop.api_key("products:read")

    def told(path: str, api_key: str | None = None) -> bytes:
        reply = shop.get(path, api_key=api_key)
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        assert reply.body.pop("instance") == path.partition("?")[0]
        assert "etag" not in reply.headers
        return json.dumps(reply.body).encode()

    with shop.unchanged("rate_limits"):
        unknown = told(f"/orders/{UNKNOWN}?phone={PHONE}")
        for key in (order["id"], order["reference"]):
            assert told(f"/orders/{key}") == unknown
            assert told(f"/orders/{key}?phone=%2B306912345679") == unknown
            assert told(f"/orders/{key}", stranger) == unknown
            assert told(f"/orders/{key}?phone=%2B306912345679", stranger) == unknown
        for key in (UNKNOWN, "ZZZZ-ZZZZ", "zzzzzzzz", "nothing", "ﬀﬀﬀﬀ", "-", "order_"):
            assert told(f"/orders/{key}", shop.admin) == unknown


def test_an_order_without_a_phone_is_not_found_by_none(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    shop.execute("UPDATE orders SET customer = '{}', customer_phone = NULL WHERE id = ?", order["id"])
    assert shop.get(f"/orders/{order['id']}").status == 404
    erased = shop.get(f"/orders/{order['id']}", api_key=shop.admin)
    assert erased.body == {**order, "customer": {}}


@pytest.mark.parametrize("query", ["phone=123", "phone=", "phone=abc", "colour=red"])
def test_refuses_invalid(shop: Shop, query: str) -> None:
    order = shop.order({shop.variant(): 1})
    reply = shop.get(f"/orders/{order['id']}?{query}")
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


def test_refuses_unauthenticated(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    reply = shop.get(f"/orders/{order['id']}?phone={PHONE}", api_key="sk_unknown")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


# -- the limit on guesses

POLICY = '"guest";q=10;w=3600'


def test_refuses_rate_limited(shop: Shop) -> None:
    """Ten wrong phones an hour; then the right one is refused, too."""
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    for number in range(10):
        with shop.unchanged("rate_limits"):
            reply = guess(shop, order["id"])
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        assert reply.headers["ratelimit-policy"] == POLICY
        assert reply.headers["ratelimit"].startswith(f'"guest";r={9 - number};t=')
        assert "retry-after" not in reply.headers
    for phone in (WRONG_PHONE, PHONE):
        with shop.unchanged():
            refused = guess(shop, order["id"], phone)
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        seconds = int(refused.headers["retry-after"])
        assert 3500 < seconds <= 3599
        assert refused.headers["ratelimit"] == f'"guest";r=0;t={seconds}'
        assert refused.headers["ratelimit-policy"] == POLICY
        assert "etag" not in refused.headers
    assert shop.rows("SELECT count FROM rate_limits") == [(10,)]


def test_the_limit_ends_with_its_window(shop: Shop) -> None:
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    use_up(shop, order["id"])
    seconds = int(guess(shop, order["id"]).headers["retry-after"])
    shop.clock(seconds - 2)
    assert guess(shop, order["id"], PHONE).status == 429
    shop.clock(2)
    reply = guess(shop, order["id"], PHONE)
    assert (reply.status, reply.body) == (200, order)
    assert reply.headers["ratelimit"].startswith('"guest";r=10;t=3')
    use_up(shop, order["id"])
    assert guess(shop, order["id"]).status == 429
    assert shop.rows("SELECT count FROM rate_limits") == [(10,), (10,)]


def test_a_right_phone_counts_nothing_and_says_what_is_left(shop: Shop) -> None:
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    use_up(shop, order["id"], 3)
    with shop.unchanged():
        replies = [guess(shop, order["id"], PHONE) for _ in range(12)]
    assert {reply.status for reply in replies} == {200}
    assert all(reply.headers["ratelimit"].startswith('"guest";r=7;t=') for reply in replies)
    assert replies[0].headers["server-timing"].endswith('desc="2"')


def test_an_order_that_is_not_there_is_limited_like_a_wrong_phone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_next_window(shop)
    now = clock.milliseconds_now()
    monkeypatch.setattr(api_call, "milliseconds_now", lambda: now)
    order = shop.order({shop.variant(): 1})
    for known, unknown in ((order["id"], UNKNOWN), (order["reference"], "ZZZZ-ZZZZ")):
        for number in range(12):
            wrong, nothing = guess(shop, known), guess(shop, unknown)
            assert alike(wrong) == alike(nothing)
            assert wrong.status == (404 if number < 10 else 429)
    assert sorted(shop.rows("SELECT count FROM rate_limits")) == [(10,)] * 4


def test_a_reference_is_counted_in_whatever_form_it_is_asked_for(shop: Shop) -> None:
    to_the_next_window(shop)
    reference = shop.order({shop.variant(): 1})["reference"]
    forms = [reference, reference.lower(), reference.replace("-", ""), reference.replace("-", "").lower()]
    told = [guess(shop, forms[number % 4]).status for number in range(12)]
    assert told == [404] * 10 + [429] * 2


def test_staff_and_the_key_that_placed_it_are_not_limited(shop: Shop) -> None:
    to_the_next_window(shop)
    placing, stranger = shop.api_key(), shop.api_key("products:read")
    order = shop.order({shop.variant(): 1}, api_key=placing)
    use_up(shop, order["id"])
    assert guess(shop, order["id"], PHONE, api_key=stranger).status == 429
    with shop.unchanged():
        for key in (shop.admin, placing):
            reply = guess(shop, order["id"], api_key=key)
            assert (reply.status, reply.headers["server-timing"][-8:]) == (200, 'desc="1"')
            assert "ratelimit" not in reply.headers
        assert "ratelimit" not in guess(shop, UNKNOWN, api_key=shop.admin).headers


def test_who_names_no_phone_guesses_nothing(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        for _ in range(12):
            reply = shop.get(f"/orders/{order['id']}")
            assert (reply.status, "ratelimit" in reply.headers) == (404, False)
        assert guess(shop, order["id"], "123").status == 422


def test_guesses_that_come_between_the_read_and_the_answer_count(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many guesses at once all have read that there is room: right or wrong, no more than ten are told so."""
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    use_up(shop, order["id"], 9)

    def slow(*known: Any) -> bool:
        shop.execute("UPDATE rate_limits SET count = 10")
        return is_buyers(*known)

    monkeypatch.setattr(guests, "is_buyers", slow)
    for phone in (PHONE, WRONG_PHONE):
        shop.execute("UPDATE rate_limits SET count = 9")
        refused = guess(shop, order["id"], phone)
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert refused.headers["ratelimit"].startswith('"guest";r=0;t=')
        assert "retry-after" in refused.headers
    assert shop.one("SELECT count FROM rate_limits") == 10

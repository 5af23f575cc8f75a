"""POST /orders/{order}/cancel."""

from typing import Any

import pytest

from api import call as api_call
from api import clock, guests
from domain.orders import given_back, is_buyers
from tests.functions.orders.support import (
    PHONE,
    WRONG_PHONE,
    alike,
    brought,
    guess,
    guess_cancelling,
    step,
    to_the_next_window,
    use_up,
    view,
)
from tests.shop import Shop


def stock_of(shop: Shop, variant: str) -> Any:
    return shop.rows("SELECT stock, backordered FROM inventory WHERE variant_id = ?", variant)[0]


def test_cancels_and_gives_the_stock_back(shop: Shop) -> None:
    first, second = shop.variant(stock=10), shop.variant(stock=7)
    before = shop.order({first: 4, second: 7})
    assert (stock_of(shop, first), stock_of(shop, second)) == ((6, 0), (0, 0))
    reply = step(shop, before, "cancel")
    assert (reply.status, reply.headers["etag"]) == (200, '"2"')
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert reply.body == view(shop, before["id"])
    assert reply.body["status"] == "CANCELLED"
    assert [item["status"] for item in reply.body["items"]] == ["CANCELLED", "CANCELLED"]
    assert reply.body["cancelled_at"] is not None
    assert (stock_of(shop, first), stock_of(shop, second)) == ((10, 0), (7, 0))
    moves = shop.rows(
        "SELECT variant_id, delta, reason, balance_after FROM stock_moves WHERE order_id = ? ORDER BY id", before["id"]
    )
    assert sorted(moves) == sorted([
        (first, -4, "sale", 6), (first, 4, "return", 10), (second, -7, "sale", 0), (second, 7, "return", 7),
    ])  # fmt: skip
    actor = shop.one("SELECT id FROM api_keys WHERE scopes = '[\"*\"]'")
    events = shop.rows("SELECT from_status, to_status, actor FROM order_events WHERE order_id = ?", before["id"])
    assert events == [(None, "PENDING", "anonymous"), ("PENDING", "CANCELLED", actor)]
    messages = shop.rows("SELECT topic, payload FROM outbox WHERE entity_id = ? ORDER BY rowid", before["id"])
    payload = f'{{"order_id":"{before["id"]}"}}'
    assert messages == [("order.placed", payload), ("order.cancelled", payload)]
    shop.checked()


@pytest.mark.parametrize("status", ["PENDING", "PAID", "FULFILLED"])
def test_staff_cancel_up_to_fulfilled(shop: Shop, status: str) -> None:
    variant = shop.variant(stock=3)
    order = brought(shop, status, {variant: 3})
    assert step(shop, order, "cancel", api_key=shop.api_key("orders:cancel")).status == 200
    assert stock_of(shop, variant) == (3, 0)
    # The money stays where it is until it is refunded.
    assert shop.one("SELECT count(*) FROM payments WHERE status = 'SETTLED'") == (status != "PENDING")
    shop.checked()


def test_a_guest_cancels_with_the_phone_while_pending(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    path = f"/orders/{order['reference'].lower()}/cancel?phone={PHONE}"
    assert shop.post(path, if_match=1).body["status"] == "CANCELLED"
    assert shop.one("SELECT actor FROM order_events WHERE to_status = 'CANCELLED'") == "anonymous"
    shop.checked()


def test_the_key_that_placed_it_cancels_while_pending(shop: Shop) -> None:
    key = shop.api_key()
    order = shop.order({shop.variant(): 1}, api_key=key)
    assert step(shop, order, "cancel", api_key=key).status == 200
    shop.checked()


def test_what_was_never_taken_from_stock_is_not_given_back(shop: Shop) -> None:
    variant, other = shop.variant(stock=3, policy="CONTINUE"), shop.variant(stock=0, policy="CONTINUE")
    shop.order({variant: 1, other: 1})
    order = shop.order({variant: 5, other: 2})
    assert sorted(item["backordered_quantity"] for item in order["items"]) == [2, 3]
    assert (stock_of(shop, variant), stock_of(shop, other)) == ((0, 3), (0, 3))
    after = step(shop, order, "cancel").body
    assert [item["backordered_quantity"] for item in after["items"]] == [0, 0]
    assert after == view(shop, order["id"])
    assert (stock_of(shop, variant), stock_of(shop, other)) == ((2, 0), (0, 1))
    assert shop.rows("SELECT variant_id, delta FROM stock_moves WHERE reason = 'return'") == [(variant, 2)]
    shop.checked()


def test_two_lines_of_one_variant_are_given_back_together(shop: Shop) -> None:
    """Checkout merges lines; an order that came in another way may not have done so."""
    variant = shop.variant(stock=10)
    order = shop.order({variant: 4})
    columns = [name for (name,) in shop.rows("SELECT name FROM pragma_table_info('order_items')")]
    shop.execute("UPDATE inventory SET stock = stock - 4 WHERE variant_id = ?", variant)
    item = shop.ids("item")[0]
    picked = ", ".join(f"'{item}'" if name == "id" else name for name in columns)
    shop.execute(f"INSERT INTO order_items ({', '.join(columns)}) SELECT {picked} FROM order_items")
    assert step(shop, order, "cancel").status == 200
    assert stock_of(shop, variant) == (10, 0)
    assert shop.rows("SELECT delta, balance_after FROM stock_moves WHERE reason = 'return'") == [(8, 10)]


def test_a_hundred_lines_are_as_many_round_trips_as_one(shop: Shop) -> None:
    variants = [shop.variant(stock=2) for _ in range(100)]
    order = shop.order(dict.fromkeys(variants, 2))
    reply = step(shop, order, "cancel")
    assert reply.headers["server-timing"].endswith('desc="2"')
    assert shop.one("SELECT sum(stock) FROM inventory") == 200
    shop.checked()


def test_the_same_key_is_answered_the_same(shop: Shop) -> None:
    variant = shop.variant(stock=5)
    order = shop.order({variant: 5})
    first = step(shop, order, "cancel", idempotency_key="once")
    with shop.unchanged():
        again = step(shop, order, "cancel", idempotency_key="once")
    assert (again.status, again.text, again.headers["etag"]) == (200, first.text, '"2"')
    assert again.headers["idempotency-replayed"] == "true"
    assert stock_of(shop, variant) == (5, 0)


def test_a_receipt_between_reading_and_cancelling_is_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the receipt took for the order goes back to the stock, not to the backlog."""
    variant = shop.variant(stock=0, policy="CONTINUE")
    order = shop.order({variant: 3})
    seen: list[int] = []

    def slow(items: Any, ids: Any) -> Any:
        if not seen:
            shop.execute("UPDATE order_items SET backordered_quantity = 1")
            shop.execute("UPDATE inventory SET backordered = 1")
            for delta, reason, balance in ((2, "receipt", 2), (-2, "sale", 0)):
                shop.insert(
                    "stock_moves", id=shop.ids("move")[0], variant_id=variant, delta=delta, reason=reason,
                    location_id="location_00000000000000000000000000", order_id=order["id"] if delta < 0 else None,
                    balance_after=balance, actor="test", created_at=shop.now,
                )  # fmt: skip
        seen.append(items[0]["backordered_quantity"])
        return given_back(items, ids)

    monkeypatch.setattr("functions.orders.cancel_order.given_back", slow)
    assert step(shop, order, "cancel").status == 200
    assert seen == [3, 1]
    assert stock_of(shop, variant) == (2, 0)
    shop.checked()


def test_refuses_not_found(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1}, api_key=shop.api_key())
    stranger = shop.api_key("products:read")
    with shop.unchanged("rate_limits"):
        unknown = shop.post(f"/orders/order_01kaktq2m8e8q8k3v9m1c4x7zd/cancel?phone={PHONE}", if_match=1)
        told = [
            shop.post(f"/orders/{order['id']}/cancel", if_match=1),
            shop.post(f"/orders/{order['id']}/cancel?phone=%2B306912345679", if_match=1),
            shop.post(f"/orders/{order['id']}/cancel", if_match=1, api_key=stranger),
            shop.post(f"/orders/{order['id']}/cancel", if_match=7, api_key=stranger),
        ]
    for reply in told:
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        assert {**reply.body, "instance": ""} == {**unknown.body, "instance": ""}


def test_refuses_forbidden(shop: Shop) -> None:
    """Whoever may see the order is told that it is there, and not theirs to cancel."""
    order, reader = shop.order({shop.variant(): 1}), shop.api_key("orders:read")
    with shop.unchanged():
        reply = step(shop, order, "cancel", api_key=reader)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")


def test_refuses_precondition_required(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = step(shop, order, "cancel", if_match=None)
    assert (reply.status, reply.body["code"]) == (428, "precondition_required")


@pytest.mark.parametrize("version", [2, 99, '"x"', 'W/"2"'])
def test_refuses_stale_version(shop: Shop, version: int | str) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = step(shop, order, "cancel", if_match=version)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


def test_a_stale_version_precedes_an_illegal_transition(shop: Shop) -> None:
    order = brought(shop, "CANCELLED")
    with shop.unchanged():
        assert step(shop, order, "cancel", if_match=1).status == 412
        assert step(shop, order, "cancel", if_match=2).status == 409


@pytest.mark.parametrize("status", ["PAID", "FULFILLED", "SHIPPED", "DELIVERED", "CANCELLED"])
def test_refuses_illegal_transition_to_the_buyer(shop: Shop, status: str) -> None:
    key = shop.api_key()
    order = brought(shop, status, api_key=key)
    with shop.unchanged():
        replies = [
            step(shop, order, "cancel", api_key=key),
            shop.post(f"/orders/{order['id']}/cancel?phone={PHONE}", if_match=order["version"]),
        ]
    for reply in replies:
        assert (reply.status, reply.body["code"]) == (409, "illegal_transition")
        assert (reply.body["from"], reply.body["to"]) == (status, "CANCELLED")
        assert status in reply.body["detail"]


@pytest.mark.parametrize(("body", "pointer"), [({"order": "x"}, "/order"), ({"phone": PHONE}, "/phone")])
def test_refuses_invalid(shop: Shop, body: dict[str, str], pointer: str) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = shop.post(f"/orders/{order['id']}/cancel?phone={PHONE}", body, if_match=1)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)


# -- the limit on guesses


def test_refuses_rate_limited(shop: Shop) -> None:
    """Looking and cancelling are guesses at the same number; a right one is refused when they are used up."""
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    use_up(shop, order["id"], 5)
    for number in range(5):
        with shop.unchanged("rate_limits"):
            reply = guess_cancelling(shop, order["id"], idempotency_key="a key of a refusal is not remembered")
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        assert reply.headers["ratelimit"].startswith(f'"guest";r={4 - number};t=')
    for phone in (WRONG_PHONE, PHONE):
        with shop.unchanged():
            refused = guess_cancelling(shop, order["id"], phone)
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert refused.headers["ratelimit"] == f'"guest";r=0;t={refused.headers["retry-after"]}'
    assert guess(shop, order["id"], PHONE).status == 429
    shop.clock(3600)
    reply = guess_cancelling(shop, order["id"], PHONE, idempotency_key="k")
    assert (reply.status, reply.headers["server-timing"][-8:]) == (200, 'desc="2"')
    assert reply.headers["ratelimit"].startswith('"guest";r=10;t=3')
    again = guess_cancelling(shop, order["id"], PHONE, idempotency_key="k")
    assert (again.text, "ratelimit" in again.headers) == (reply.text, False)
    shop.checked()


def test_an_order_that_is_not_there_is_limited_like_a_wrong_phone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_next_window(shop)
    now = clock.milliseconds_now()
    monkeypatch.setattr(api_call, "milliseconds_now", lambda: now)
    order = shop.order({shop.variant(): 1})
    for number in range(12):
        wrong = guess_cancelling(shop, order["id"])
        assert alike(wrong) == alike(guess_cancelling(shop, "order_01kaktq2m8e8q8k3v9m1c4x7zd"))
        assert wrong.status == (404 if number < 10 else 429)


def test_staff_are_not_limited(shop: Shop) -> None:
    to_the_next_window(shop)
    order, reader = shop.order({shop.variant(): 1}), shop.api_key("orders:read")
    use_up(shop, order["id"])
    with shop.unchanged():
        assert guess_cancelling(shop, order["id"], api_key=reader).status == 403
    assert guess_cancelling(shop, order["id"], api_key=shop.admin).status == 200


@pytest.mark.parametrize("if_match", [1, 99])
def test_no_refusal_says_that_a_phone_is_right_once_guesses_are_used_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, if_match: int
) -> None:
    """The limit is reached between the read and the answer, whether that is a cancellation, a 409 or a 412."""
    to_the_next_window(shop)
    order = shop.order({shop.variant(): 1})
    paid = brought(shop, "PAID")
    for one in (order, paid):
        use_up(shop, one["id"], 9)

    def slow(*known: Any) -> bool:
        shop.execute("UPDATE rate_limits SET count = 10")
        return is_buyers(*known)

    monkeypatch.setattr(guests, "is_buyers", slow)
    for one in (order, paid):
        shop.execute("UPDATE rate_limits SET count = 9")
        with shop.unchanged("rate_limits"):
            refused = guess_cancelling(shop, one["id"], PHONE, if_match=if_match if one is order else one["version"])
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert refused.headers["server-timing"].endswith('desc="2"')

"""POST /checkout and its Idempotency-Key: one order and one answer per key, caller and day."""

from typing import Any

import pytest

from tests.functions.carts.support import guest
from tests.shop import Reply, Shop

KEPT = ("content-type", "location", "etag")


def place(shop: Shop, body: Any, key: str | None = "key", **sent: Any) -> Reply:
    return shop.post("/checkout", body, idempotency_key=key, **sent)


def replayed(shop: Shop, first: Reply, body: Any, **sent: Any) -> None:
    """The same answer again, byte by byte, and nothing written."""
    with shop.unchanged():
        again = place(shop, body, **sent)
    assert (again.status, again.text) == (first.status, first.text)
    assert {name: again.headers[name] for name in KEPT} == {name: first.headers[name] for name in KEPT}
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert 'desc="1"' in again.headers["server-timing"], "a replay is one round trip"


def test_the_same_key_gets_the_same_answer(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(title="Μέλι θυμαριού"): 1}, metadata={"note": 'a"b\\u0001'})
    first = place(shop, body)
    assert first.status == 201
    replayed(shop, first, body)
    replayed(shop, first, dict(reversed(body.items())), headers={"accept-language": "el"})
    assert shop.one("SELECT count(*) FROM orders") == 1


def test_a_replay_precedes_what_would_be_refused_now(shop: Shop) -> None:
    variant = shop.variant(stock=1)
    cart = guest(shop, {variant: 1})
    body = shop.checkout_body(cart_id=cart.id)
    first = place(shop, body, cart_token=cart.token)
    shop.execute("UPDATE products SET status = 'ARCHIVED', version = version + 1")
    replayed(shop, first, body, cart_token=cart.token)


def test_a_key_may_be_quoted(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    first = place(shop, body, "a b")
    replayed(shop, first, body, key='"a b"')


def test_another_body_under_the_same_key_is_refused(shop: Shop) -> None:
    variant = shop.variant()
    place(shop, shop.checkout_body({variant: 1}))
    for body in (shop.checkout_body({variant: 2}), shop.checkout_body({variant: 1}, notes="x"), {"nonsense": 1}):
        with shop.unchanged():
            reply = place(shop, body)
        assert (reply.status, reply.body["code"]) == (422, "idempotency_key_reused")


def test_callers_do_not_share_keys(shop: Shop) -> None:
    variant = shop.variant(stock=10)
    body = shop.checkout_body({variant: 1})
    first, second = shop.api_key(), shop.api_key()
    guests = [guest(shop), guest(shop)]
    answers = [
        place(shop, body),
        place(shop, body, api_key=first),
        place(shop, body, api_key=second),
        place(shop, body, cart_token=guests[0].token),
        place(shop, body, cart_token=guests[1].token),
    ]
    assert [answer.status for answer in answers] == [201] * 5
    assert len({answer.body["id"] for answer in answers}) == 5
    assert place(shop, body, api_key=second).text == answers[2].text
    assert shop.one("SELECT stock FROM inventory") == 5
    shop.checked()


def test_a_refusal_is_not_remembered(shop: Shop) -> None:
    variant = shop.variant(stock=0)
    body = shop.checkout_body({variant: 1})
    for _ in range(2):
        assert place(shop, body).body["code"] == "insufficient_stock"
    shop.post("/stock/adjustments", {"variant_id": variant, "delta": 1, "reason": "receipt"}, api_key=shop.admin)
    assert place(shop, body).status == 201


def test_a_day_later_the_key_is_new(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    first = place(shop, body)
    shop.clock(86_390)
    replayed(shop, first, body)
    shop.clock(10)
    second = place(shop, body | {"notes": "tomorrow"})
    assert second.status == 201
    assert second.body["id"] != first.body["id"]
    replayed(shop, second, body | {"notes": "tomorrow"})
    assert shop.one("SELECT count(*) FROM idempotency_keys") == 1


@pytest.mark.parametrize("body", ["good", "bad"])
def test_refuses_idempotency_key_required(shop: Shop, body: str) -> None:
    sent = shop.checkout_body({shop.variant(): 1}) if body == "good" else {"colour": 1}
    with shop.unchanged():
        reply = place(shop, sent, None)
    assert (reply.status, reply.body["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "naïve", "tab\there", "new\nline"])
def test_refuses_a_key_that_has_not_its_form(shop: Shop, key: str) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    with shop.unchanged():
        reply = place(shop, body, key)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == "/headers/idempotency-key"
    assert reply.body["errors"][0]["code"] == "idempotency_key_form"


def test_who_calls_is_judged_before_the_key(shop: Shop) -> None:
    body = shop.checkout_body({shop.variant(): 1})
    assert place(shop, body, None, api_key="sk_unknown").status == 401
    assert place(shop, body, api_key="sk_unknown").status == 401


def test_an_answer_lost_on_the_way_is_found_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is kept, but its answer is lost: the line runs again, and finds what was remembered."""
    from db.helper import Unknown
    from tests.engines.homes import database_class

    real = database_class().batch
    lost: list[bool] = []

    async def batch(self: Any, statements: Any) -> Any:
        found = await real(self, statements)
        if not lost:
            lost.append(True)
            raise Unknown("sent, and not answered")
        return found

    monkeypatch.setattr(database_class(), "batch", batch)
    body = shop.checkout_body({shop.variant(stock=5): 1})
    reply = place(shop, body)
    assert reply.status == 201
    assert shop.rows("SELECT id, stock FROM orders, inventory") == [(reply.body["id"], 4)]
    shop.checked()


def test_the_key_is_kept_without_what_it_was_asked_with(shop: Shop) -> None:
    """A remembered answer is the answer: no credential, no token, no body beside it."""
    cart = guest(shop, {shop.variant(): 1})
    place(shop, shop.checkout_body(cart_id=cart.id), cart_token=cart.token)
    row = " ".join(str(value) for value in shop.rows("SELECT * FROM idempotency_keys")[0])
    assert cart.token not in row

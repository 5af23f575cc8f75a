"""What attackers found once must stay mended; each test is named after what they could do."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.database import close_database
from api.settings import SettingsError, read_settings, settings
from tests.api.asgi import JSON
from tests.shop import LOOP, Shop, endpoints

SECRET = "0123456789abcdef" * 4


def test_a_stranger_who_guesses_the_key_does_not_see_the_guests_order(shop: Shop) -> None:
    order = shop.order({shop.variant(): 1})
    target = f"/orders/{order['id']}/cancel"
    phone = order["customer"]["phone"].replace("+", "%2B")
    assert shop.post(f"{target}?phone={phone}", idempotency_key="cancel-1", if_match=1).status == 200
    for other in (target, f"{target}?phone=%2B300000000", f"{target}?phone="):
        with shop.unchanged():
            reply = shop.post(other, idempotency_key="cancel-1", if_match=1)
        assert reply.status in (404, 422)
        assert "Eleni" not in reply.text
    again = shop.post(f"{target}?phone={phone}", idempotency_key="cancel-1", if_match=1)
    assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")


def test_half_a_request_is_none(shop: Shop) -> None:
    """A connection that is cut before the body has come: nothing is made of what came."""
    endpoint = endpoints()["create_cart"]
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": b"", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.encode(), value.encode()) for name, value in JSON]
    scope = {"type": "http", "method": "POST", "path": "/carts", "query_string": b"", "headers": headers}
    with shop.unchanged():
        LOOP.run_until_complete(endpoint(scope, receive, send))
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["code"] == "malformed_json"


@pytest.mark.parametrize(("target", "code"), [("/products", "busy"), ("/health", "unhealthy")])
def test_a_database_that_is_away_is_503(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, code: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/shop.db")
    settings.cache_clear()
    reply = shop.get(target)
    assert (reply.status, reply.body["code"]) == (503, code)
    assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize("target", ["/products", "/carts", "/checkout"])
def test_a_schema_that_is_behind_is_503(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    variant = shop.variant()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")
    settings.cache_clear()
    if target == "/products":
        reply = shop.get(target)
    else:
        body = {} if target == "/carts" else shop.checkout_body({variant: 1})
        reply = shop.post(target, body, idempotency_key="key")
    assert (reply.status, reply.body["code"]) == (503, "busy")
    LOOP.run_until_complete(close_database())


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///a.db?mode=ro", "postgres://shop", ""])
def test_a_url_that_names_no_file_is_refused_at_start(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        read_settings({"SECRET_KEY": SECRET, "DATABASE_URL": url})


@pytest.mark.parametrize("currency", ["XYZ", "eur", "EU"])
def test_a_currency_that_nobody_pays_in_is_refused(shop: Shop, currency: str) -> None:
    with shop.unchanged():
        reply = shop.post("/products", {"title": "A", "price": 1, "currency": currency}, api_key=shop.admin)
    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert reply.body["errors"][0]["pointer"] == "/currency"
    with pytest.raises(SettingsError, match="DEFAULT_CURRENCY"):
        read_settings({"SECRET_KEY": SECRET, "DEFAULT_CURRENCY": currency})


@pytest.mark.parametrize("tag", ['W/"1"', '"01"', '"+1"', "1", '""'])
def test_a_tag_that_is_not_the_version_matches_nothing(shop: Shop, tag: str) -> None:
    order = shop.order({shop.variant(): 1})
    with shop.unchanged():
        reply = shop.post(f"/orders/{order['id']}/cancel", api_key=shop.admin, if_match=tag)
    assert (reply.status, reply.body["code"]) == (412, "stale_version")


@pytest.mark.parametrize("limit", ["1_0", "1.0", "%205", "%2B5", "%D9%A3", "0x1", "1e1"])
def test_an_integer_of_a_query_is_digits(shop: Shop, limit: str) -> None:
    reply = shop.get(f"/products?limit={limit}")
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, "int_parsing")


def test_an_integer_of_a_query_has_an_end(shop: Shop) -> None:
    reply = shop.get(f"/products?limit={2**63}")
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, "int_parsing_size")


@pytest.mark.parametrize(
    "target",
    [
        "/analytics/daily?since=2026-13-01",
        "/analytics/daily?until=2026-02-30",
        "/events?since=2026-02-30T00:00:00.000Z",
        "/events?until=2026-11-21T25:00:00.000Z",
    ],
)
def test_a_day_that_no_calendar_has_is_refused(shop: Shop, target: str) -> None:
    reply = shop.get(target, api_key=shop.admin)
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, "time")


def test_a_request_id_that_could_be_a_phone_number_is_not_taken_over(shop: Shop) -> None:
    for sent in ("+306912345678", "a b", "x" * 129):
        assert shop.get("/health", headers={"x-request-id": sent}).headers["x-request-id"] != sent
    assert shop.get("/health", headers={"x-request-id": "trace-1.2:3"}).headers["x-request-id"] == "trace-1.2:3"


def test_a_clock_that_went_back_does_not_break_a_cart(shop: Shop) -> None:
    made = shop.post("/carts", {}).body
    shop.clock(-60 * 86_400)
    line = {"variant_id": shop.variant(), "quantity": 1}
    assert shop.post(f"/carts/{made['id']}/items", line, cart_token=made["token"]).status == 201

"""Logs and counters: what was asked and how long it took, and nothing that a person said or that opens a door."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from api import telemetry
from api.settings import settings
from api.telemetry import observe_trip, prometheus
from db.helper import Trip
from functions.carts.view_cart import view_cart
from tests.api.asgi import JSON, ask
from tests.engines.homes import database_class
from tests.functions.carts.support import guest, lines_of
from tests.shop import Shop

CANARY = "canary7fd3a1"


@pytest.fixture
def lines(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, by us and by what we use, with every logger at its loudest."""
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings.cache_clear()
    telemetry.set_up("debug", 200)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(telemetry._Lines())
    root, level = logging.getLogger(), logging.getLogger().level
    for logger in (telemetry.log, root):
        logger.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    for logger in (telemetry.log, root):
        logger.removeHandler(handler)
    root.setLevel(level)


def logged(written: io.StringIO, message: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in found if line["message"] == message]


def test_a_request_is_a_line(shop: Shop, lines: io.StringIO) -> None:
    cart = guest(shop)
    shop.get(cart.path, cart_token=cart.token, headers={"x-request-id": "mine"})
    shop.get(cart.path)
    created, viewed, refused = logged(lines, "request")
    assert set(created) == {"time", "level", "message", "endpoint", "status", "milliseconds", "request_id", "trips"}
    assert (created["endpoint"], created["status"], created["trips"]) == ("create_cart", 201, 1)
    assert (viewed["request_id"], viewed["level"]) == ("mine", "info")
    assert (refused["status"], refused["code"]) == (404, "cart_not_found")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", viewed["time"])


def test_every_query_can_be_logged(shop: Shop, lines: io.StringIO) -> None:
    shop.order({shop.variant(): 1})
    assert [(line["kind"], line["statements"]) for line in logged(lines, "query")] == [("read", 3), ("batch", 12)]


def test_nothing_is_logged_below_the_level(shop: Shop, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    settings.cache_clear()
    guest(shop)
    assert logged(lines, "request") == []


def say_everything(shop: Shop) -> list[str]:
    """Requests that carry the canary in every place; the secrets that were used."""
    phone = "+30691" + "2718281"
    customer = {"name": f"N {CANARY}", "phone": phone, "email": f"{CANARY}@example.com"}
    address = {"line1": f"L {CANARY}", "city": CANARY, "postal_code": CANARY, "country": "GR"}
    variant = shop.variant(stock=3)
    cart, key = guest(shop, {variant: 1}), shop.api_key("*")
    said: dict[str, Any] = {"customer": customer, "shipping_address": address, "billing_address": address}
    said |= {"notes": CANARY, "metadata": {CANARY: CANARY}}
    secret = f"key-{CANARY}"
    statuses = [
        shop.post("/checkout", {"lines": lines_of({variant: 1}), **said}, idempotency_key=secret, api_key=key).status,
        shop.post("/checkout", {"lines": lines_of({variant: 1}), **said}, idempotency_key=secret, api_key=key).status,
        shop.post("/checkout", {"lines": lines_of({variant: 9}), **said}, idempotency_key=secret).status,
        shop.post("/checkout", {"cart_id": cart.id, **said}, idempotency_key=secret, cart_token=cart.token).status,
        shop.post("/checkout", {**said, "coupon_code": CANARY, CANARY: 1}, idempotency_key=secret).status,
        shop.post("/checkout", f'{{"notes": "{CANARY}', idempotency_key=secret).status,
        shop.get(f"/orders?phone=%2B{phone[1:]}", api_key=key).status,
        shop.get(f"/orders?cursor={CANARY}", api_key=key).status,
        shop.get(f"/orders?{CANARY}={CANARY}", api_key=key).status,
        shop.get("/orders", api_key=f"sk_{CANARY}").status,
        shop.get(f"/products?q={CANARY}").status,
        shop.get(f"/carts/{CANARY}", cart_token=CANARY, headers={"cookie": CANARY, "user-agent": CANARY}).status,
    ]
    assert statuses == [201, 201, 409, 201, 422, 400, 200, 422, 422, 401, 200, 404]
    return [CANARY, phone, phone[1:], key, cart.token, "2718281", "192.0.2.1"]


def test_no_line_holds_what_a_person_said_or_a_secret(
    shop: Shop, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = say_everything(shop)

    async def broken(self: Any, *statements: Any, **how: Any) -> Any:
        raise RuntimeError(f"near {CANARY}: {statements}")

    monkeypatch.setattr(database_class(), "read", broken)
    cart_token = [("x-cart-token", CANARY)]
    assert ask(view_cart, f"/carts/{CANARY}", headers=[*JSON, *cart_token], query=b"").status == 500
    written = lines.getvalue()
    assert len(logged(lines, "request")) >= 13
    for secret in [*secrets, settings().secret_key[0].decode()]:
        assert secret not in written, [line for line in written.splitlines() if secret in line]
    assert secrets[0] not in prometheus()


def test_an_exception_is_logged_by_its_type_and_place(
    shop: Shop, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(request: Any, call: Any) -> Any:
        raise KeyError(CANARY)

    monkeypatch.setattr(view_cart, "run", broken)
    ask(view_cart, "/carts/x", headers=[("x-request-id", "mine")])
    [line] = logged(lines, "internal error")
    assert (line["level"], line["error"], line["endpoint"], line["request_id"]) == (
        "error",
        "KeyError",
        "view_cart",
        "mine",
    )
    assert re.search(r"test_telemetry\.py:\d+$", line["at"])


def test_a_slow_query_is_flagged_with_its_slowest_statement(
    shop: Shop, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOW_QUERY_MS", "1")
    settings.cache_clear()
    before = telemetry.SLOW["batch"]
    shop.order({shop.variant(): 1 for _ in range(100)})
    flagged = [line for line in logged(lines, "slow query") if line["kind"] == "batch"]
    assert len(flagged) == telemetry.SLOW["batch"] - before == 1
    assert re.fullmatch(r"(db\.statements|functions|api)[.a-z_]*\.[A-Z_.a-z]+", flagged[0]["slowest"])
    assert flagged[0]["slowest_milliseconds"] <= flagged[0]["milliseconds"]
    assert (flagged[0]["level"], flagged[0]["statements"]) == ("warning", 12)


def test_a_quick_query_is_not(shop: Shop, lines: io.StringIO) -> None:
    telemetry.set_up("debug", 200)
    before = dict(telemetry.SLOW)
    observe_trip(Trip("read", "sqlite", 0.2, 1, None, 0.2))
    assert before == telemetry.SLOW
    observe_trip(Trip("read", "sqlite", 0.201, 1, None, 0.2, "TimedOut"))
    assert telemetry.SLOW["read"] == before.get("read", 0) + 1
    assert logged(lines, "slow query")[-1]["slowest"] is None


SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*)\})? ([0-9.e+-]+|\+Inf)')


def samples() -> dict[tuple[str, str], float]:
    """The exposition, parsed: (name, labels) to value. Every sample follows the TYPE of its family, and stands once."""
    found: dict[tuple[str, str], float] = {}
    family, kinds = "", {}
    text = prometheus()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in kinds
            kinds[family] = kind
            continue
        matched = SAMPLE.fullmatch(line)
        assert matched, line
        name, labels, value = matched.groups()
        ends = ("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)
        assert name in {family + end for end in ends}
        assert (name, labels or "") not in found
        found[name, labels or ""] = float(value)
    return found


def test_counters_are_prometheus_text(shop: Shop) -> None:
    guest(shop)
    before = samples()
    cart = guest(shop)
    shop.get(cart.path)
    after = samples()

    def risen(name: str, labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert risen("tallystick_requests_total", 'endpoint="create_cart",status="201"') == 1
    assert risen("tallystick_requests_total", 'endpoint="view_cart",status="404"') == 1
    assert risen("tallystick_database_trips_total", 'engine="sqlite",kind="batch"') == 1
    assert risen("tallystick_request_seconds_count", 'endpoint="create_cart"') == 1
    assert risen("tallystick_request_seconds_sum", 'endpoint="create_cart"') > 0


def test_buckets_add_up(shop: Shop) -> None:
    guest(shop)
    found = samples()
    names = {labels for name, labels in found if name == "tallystick_request_seconds_count"}
    assert names
    for labels in names:
        buckets = [
            value
            for (name, other), value in found.items()
            if name == "tallystick_request_seconds_bucket" and other.startswith(f"{labels},")
        ]
        assert buckets == sorted(buckets)
        assert buckets[-1] == found["tallystick_request_seconds_count", labels]
        total = sum(
            value
            for (name, other), value in found.items()
            if name == "tallystick_requests_total" and other.startswith(f"{labels},")
        )
        assert total == buckets[-1]


def test_an_error_of_the_database_is_counted(shop: Shop) -> None:
    refused = ("tallystick_database_errors_total", 'error="Refused",what="insufficient_stock"')
    before = samples().get(refused, 0)
    variant = shop.variant(stock=1)
    first = shop.checkout_body({variant: 1})
    shop.post("/checkout", first, idempotency_key="a")
    observe_trip(Trip("batch", "sqlite", 0.001, 1, None, 0.001, "Refused", "insufficient_stock"))
    assert samples()[refused] == before + 1

"""Threat 32: personal data in logs, in answers to others, and what is left of a person: canaries in all they send."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from api import telemetry
from api.settings import settings
from api.telemetry import prometheus
from tests.functions.carts.support import lines_of
from tests.functions.me.personal import dump
from tests.shop import Shop

CANARY = "canary3c90de"
PHONE = "+306931415926"
EMAIL = f"{CANARY}@example.com"
PASSWORD = f"a {CANARY} split in two"


@pytest.fixture
def written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, by us and by what we use, with every logger at its loudest."""
    monkeypatch.setenv("LOG_LEVEL", "debug")
    settings.cache_clear()
    telemetry.set_up("debug", 200)
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(telemetry._Lines())
    root, level = logging.getLogger(), logging.getLogger().level
    for logger in (telemetry.log, root):
        logger.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    for logger in (telemetry.log, root):
        logger.removeHandler(handler)
    root.setLevel(level)


def live(shop: Shop) -> tuple[str, str, list[str]]:
    """A person who says everything that can be said. Returns the id, a token that may erase, and the secrets used."""
    user = shop.user("customer", email=EMAIL, password=PASSWORD)
    body = {"email": EMAIL, "password": PASSWORD}
    agent = {"user-agent": f"agent {CANARY}"}
    assert shop.post("/auth/log-in", {**body, "password": f"wrong {CANARY}"}, headers=agent).status == 401
    tokens = shop.post("/auth/log-in", body, headers=agent).body
    sent: dict[str, Any] = {"token": tokens["access_token"], "headers": agent}
    variant = shop.variant()
    address = {"full_name": CANARY, "phone": PHONE, "line1": CANARY, "city": CANARY, "country": "GR", "label": CANARY}
    card = {
        "card_token": f"tok_{CANARY}", "card_alias": CANARY, "bin_number": "454360", "last_four_digits": "1234",
        "card_holder_name": CANARY, "expiry_month": 1, "expiry_year": 2030,
    }  # fmt: skip
    cart = shop.post("/carts", {"items": lines_of({variant: 1})}, **sent).body["id"]
    said = shop.checkout_body(cart_id=cart, notes=CANARY, metadata={CANARY: CANARY})
    said["customer"] = {"name": CANARY, "phone": PHONE, "email": EMAIL}
    said["shipping_address"]["line1"] = said["shipping_address"]["city"] = CANARY
    statuses = [
        shop.patch_("/me", {"first_name": CANARY, "last_name": CANARY, "phone": PHONE}, **sent).status,
        shop.patch_("/me", {CANARY: CANARY, "phone": CANARY}, **sent).status,
        shop.post("/me/addresses", address, idempotency_key=f"a-{CANARY}", **sent).status,
        shop.post("/me/cards", card, idempotency_key=f"c-{CANARY}", **sent).status,
        shop.post("/me/cards", {**card, "card_token": "4111111111111111"}, **sent).status,
        shop.post("/checkout", said, idempotency_key=f"o-{CANARY}", **sent).status,
        shop.post("/events", {"event_type": "x", "session_id": CANARY, "properties": {CANARY: CANARY}}, **sent).status,
        shop.get(f"/orders?phone=%2B{PHONE[1:]}", **sent).status,
        shop.get(f"/me/addresses/{CANARY}", **sent).status,
        shop.get("/me/export", **sent).status,
    ]
    assert statuses == [200, 422, 201, 201, 422, 201, 201, 200, 404, 200]
    secrets = [CANARY, PHONE, PHONE[1:], "4111111111111111", tokens["access_token"], tokens["refresh_token"]]
    return user, shop.session(user, stepped_up=True), secrets


def test_no_line_and_no_counter_holds_what_a_person_said(shop: Shop, written: io.StringIO) -> None:
    _, token, secrets = live(shop)
    assert shop.delete("/me", token=token).status == 204
    text = written.getvalue()
    assert text.count('"message":"request"') + text.count('"message": "request"') >= 12
    for secret in (*secrets, token):
        assert secret not in text, [line for line in text.splitlines() if secret in line]
        assert secret not in prometheus()


def test_nothing_of_it_is_told_to_another(shop: Shop) -> None:
    user, _, secrets = live(shop)
    order = shop.one("SELECT id FROM orders")
    sent = {"token": shop.session(shop.user("customer"))}
    for path in (f"/orders/{order}", "/orders", "/me/addresses", "/me/cards", "/me/export", f"/users/{user}/export"):
        reply = shop.get(path, **sent)
        assert not [secret for secret in secrets if secret in reply.text], path


def test_nothing_of_it_is_left_after_the_erasure(shop: Shop) -> None:
    """Of what came through the endpoints; what stands in columns is tested by tests/functions/me/test_delete_me.py."""
    _, token, secrets = live(shop)
    assert any(CANARY in rows for rows in dump(shop).values())
    assert shop.delete("/me", token=token).status == 204
    left = {(table, secret) for table, rows in dump(shop).items() for secret in secrets if secret in rows}
    assert left == set()
    shop.checked()

"""Threat 30, tricks on the way in: an odd path, method, header or body changes no verdict, and is never a 5xx.

Asked twice: as an event of the cloud's gateway, handed to the Lambda handler of the endpoint that it may be meant for;
and over the local server's router.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import Any
from urllib.parse import unquote

import pytest

from cli import derive
from cli.server import Application
from proof.asking import Asking, Told, ask
from tests.api.asgi import ask as ask_raw
from tests.functions.users.support import stepped_up
from tests.shop import Reply, Shop, endpoints
from tools.runtime.events import event

PATHS = [
    "//users", "/users/", "/USERS", "/Users", "/./users", "/x/../users", "/users/.", "/users/..", "/%2e%2e/users",
    "/%2e/users", "/users%2f", "/%2fusers", "/users%00", "/users%0a", "/users;a=b", "/users%20", "/us%65rs/", "\\users",
    "/users#", "/users/%2e%2e/users", "/products/..%2fusers", "/products/../users", "//shop.example/users",
]  # fmt: skip
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
FORWARDED = {
    "x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9", "x-real-ip": "203.0.113.9",
    "cf-connecting-ip": "203.0.113.9", "true-client-ip": "203.0.113.9", "x-client-ip": "203.0.113.9",
    "x-forwarded-host": "evil.example", "x-original-url": "/health", "x-rewrite-url": "/health",
}  # fmt: skip


def handed(name: str, sent: dict[str, Any]) -> Reply:
    """The answer of an endpoint's Lambda handler to an event."""
    answer = importlib.import_module(endpoints()[name].module).handler(sent, None)
    text = answer.get("body") or ""
    return Reply(answer["statusCode"], json.loads(text) if text else None, answer["headers"], text)


def served(shop: Shop, asking: Asking) -> Told:
    """The answer of the local server."""
    return asyncio.get_event_loop().run_until_complete(ask(Application(derive.endpoints()), asking))


@pytest.mark.parametrize("path", PATHS)
def test_an_odd_path_lets_nobody_in(shop: Shop, path: str) -> None:
    customer, (_, admin) = shop.session(shop.user("customer")), stepped_up(shop, "admin")
    for credential in (None, customer, admin):
        headers = {"authorization": f"Bearer {credential}"} if credential else {}
        sent = event("GET", "/users", headers=headers)
        sent["rawPath"] = sent["requestContext"]["http"]["path"] = unquote(path)
        with shop.unchanged():
            reply = handed("list_users", sent)
            told = served(shop, Asking("", path, "GET", headers=headers))
        # The handler of /users answers nothing but /users.
        assert (reply.status, reply.body["code"]) == (404, "not_found")
        # Behind the router an odd path is another one: /users/.. is a user that there is not, for whom may ask.
        assert told.status in (401, 403, 404), told
        assert credential != admin or told.status == 404


@pytest.mark.parametrize("header", OVERRIDES)
def test_a_method_is_the_one_that_was_sent(shop: Shop, header: str) -> None:
    _, admin = stepped_up(shop, "admin")
    user = shop.user()
    headers = {"authorization": f"Bearer {admin}", header: "DELETE"}
    with shop.unchanged():
        assert shop.get(f"/users/{user}", headers=headers).body["id"] == user
        assert shop.get(f"/users/{user}?_method=DELETE", token=admin).status == 422
        sent = event("GET", f"/users/{user}/roles/staff", headers=headers)
        assert handed("take_role", sent).body["code"] == "method_not_allowed"
        for method in ("get", "Delete", "TRACE", "CONNECT", "HEAD", "OPTIONS", ""):
            sent = event(method, f"/users/{user}/roles/staff", headers={"authorization": f"Bearer {admin}"})
            assert handed("take_role", sent).status in (404, 405)


@pytest.mark.parametrize("body", ["%%%", "a", "{}", "=", "ééé", "e30", "eyJ"])
def test_bad_base64_is_a_bad_request(shop: Shop, body: str) -> None:
    sent = event("POST", "/stock/adjustments", headers={"authorization": f"Bearer {shop.admin}"}, body=body)
    sent["isBase64Encoded"] = True
    sent["headers"]["content-type"] = "application/json"
    with shop.unchanged():
        reply = handed("adjust_stock", sent)
    assert reply.status in (400, 422), reply.text


def test_two_credentials_are_none(shop: Shop) -> None:
    customer, (_, admin) = shop.session(shop.user("customer")), stepped_up(shop, "admin")
    app = endpoints()["list_users"]
    with shop.unchanged():
        # The cloud's gateway joins what came twice.
        for joined in (f"Bearer {customer},Bearer {admin}", f"Bearer {admin}, Bearer {customer}"):
            reply = shop.get("/users", headers={"authorization": joined})
            assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
        twice = [("authorization", f"Bearer {one}") for one in (customer, admin)]
        for pair in (twice, twice[::-1]):
            told = ask_raw(app, "/users", method="GET", headers=pair)
            assert (told.status, told.code) == (422, "invalid")


def test_a_header_says_not_where_somebody_is_nor_what_they_want(shop: Shop) -> None:
    user, variant = shop.user("staff"), shop.variant()
    body = {"variant_id": variant, "delta": 1, "reason": "return"}
    assert shop.post("/stock/adjustments", body, token=shop.session(user), headers=FORWARDED).status == 201
    assert shop.rows("SELECT value FROM personal_values WHERE name = 'ip_address'") == [('"192.0.2.1"',)]
    customer = shop.session(shop.user("customer"))
    with shop.unchanged():
        reply = shop.post("/stock/adjustments", body, token=customer, headers=FORWARDED)
        nobody = shop.post("/stock/adjustments", body, headers=FORWARDED)
    assert (reply.status, nobody.status) == (403, 401)
    assert reply.body["instance"] == "/stock/adjustments"

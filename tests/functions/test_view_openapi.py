"""GET /openapi.json."""

import json
from pathlib import Path

from tests.shop import Shop

COMMITTED = Path(__file__).parent.parent.parent / "openapi.json"


def test_answers_the_committed_document(shop: Shop) -> None:
    with shop.unchanged():
        reply = shop.get("/openapi.json")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.body == json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert reply.body["openapi"].startswith("3.1.")


def test_refuses_an_unknown_parameter(shop: Shop) -> None:
    reply = shop.get("/openapi.json?pretty=1")
    assert (reply.status, reply.body["code"]) == (422, "invalid")


def test_refuses_unauthenticated(shop: Shop) -> None:
    reply = shop.get("/openapi.json", api_key="sk_nobody")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")

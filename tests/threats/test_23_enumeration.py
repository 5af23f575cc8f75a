"""Threat 23: who has an account is told by no status, body or length. Times are measured by bench/enumeration.py."""

from typing import Any

import pytest

from tests.functions.auth.support import COUNTS, OTHER_PASSWORD, PASSWORD, TRAIL
from tests.shop import Reply, Shop

ASKED: dict[str, dict[str, Any]] = {
    "/auth/register": {"password": OTHER_PASSWORD},
    "/auth/log-in": {"password": OTHER_PASSWORD},
    "/auth/password-reset": {},
}
VARYING = {"x-request-id", "server-timing", "read-after", "ratelimit", "retry-after"}


def told(reply: Reply) -> tuple[int, str, dict[str, str]]:
    return reply.status, reply.text, {name: text for name, text in reply.headers.items() if name not in VARYING}


@pytest.mark.parametrize("path", ASKED)
def test_known_and_unknown_are_answered_alike(shop: Shop, path: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "knownn": {"password": PASSWORD},
        "hidden": {"password": PASSWORD, "status": "SUSPENDED"},
        "unsure": {"password": PASSWORD, "verified": False},
        "linked": {"password": None},
    }
    for name, user in kinds.items():
        shop.user(email=f"{name}@example.com", **user)
    before = shop.digest()
    answers = {name: shop.post(path, {"email": f"{name}@example.com", **ASKED[path]}) for name in (*kinds, "nobody")}
    after = shop.digest()
    reference = told(answers["nobody"])
    assert {name: told(one) for name, one in answers.items() if told(one) != reference} == {}
    assert {len(one.text) for one in answers.values()} == {len(reference[1])}
    assert {one.headers["server-timing"].split("desc=")[1] for one in answers.values()} == {'"2"'}  # trips, too
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {COUNTS, *TRAIL, "outbox", "users", "verification_tokens", "password_resets"}


@pytest.mark.parametrize("path", ASKED)
def test_the_limit_does_not_tell_either(shop: Shop, path: str) -> None:
    shop.user(email="knownn@example.com", password=PASSWORD)
    replies = [
        [told(shop.post(path, {"email": f"{name}@example.com", **ASKED[path]})) for _ in range(7)]
        for name in ("knownn", "nobody")
    ]
    assert replies[0] == replies[1]


def test_who_has_an_account_gets_in(shop: Shop) -> None:
    shop.user(email="knownn@example.com", password=PASSWORD)
    assert shop.post("/auth/log-in", {"email": "knownn@example.com", "password": PASSWORD}).status == 200

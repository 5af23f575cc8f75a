"""Threat 20: a token that its own header verifies. One algorithm, keys from our own set: one 401, nothing written."""

import pytest

from tests.api.test_tokens import Forger
from tests.shop import Shop

ROUTES = [("GET", "/orders"), ("POST", "/auth/log-out"), ("POST", "/me/password"), ("GET", "/me/sessions")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_forged_token_gets_the_same_401(shop: Shop, method: str, path: str) -> None:
    forger = Forger(shop)
    body: dict[str, str] | None = None if method == "GET" else {}
    with shop.unchanged():
        told = {
            name: shop.request(method, path, body, headers={"authorization": f"Bearer {token}"})
            for name, token in forger.all().items()
        }
    assert {(one.status, one.text) for one in told.values()} == {(401, told["alg none"].text)}
    assert told["alg none"].body["code"] == "unauthenticated"
    assert {one.headers["www-authenticate"] for one in told.values()} == {"Bearer"}
    good = shop.request(method, path, body, token=forger.good)
    assert good.status in (200, 204, 422)  # it came through the door

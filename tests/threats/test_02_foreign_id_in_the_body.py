"""Threat 2: a foreign id inside the body. It is not there, and nothing of it is told."""

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.shop import Shop

UNKNOWN = "cart_01kaktq2m8e8q8k3v9m1c4x7zd"


@pytest.mark.parametrize("owner", ["person", "key", "guest"])
@pytest.mark.parametrize("path", ["/checkout", "/checkout/quote"])
def test_anothers_cart_is_not_there(shop: Shop, owner: str, path: str) -> None:
    variant = shop.variant(title="secret wish")
    body = {"items": lines_of({variant: 1})}
    if owner == "guest":
        cart = guest(shop, {variant: 1}).id
    else:
        sent = {"api_key": shop.admin} if owner == "key" else {"token": shop.session(shop.user("customer"))}
        cart = shop.post("/carts", body, **sent).body["id"]
    token = shop.session(shop.user("customer"))

    def ask(cart_id: str) -> tuple[int, str]:
        asked = {"cart_id": cart_id} if path.endswith("quote") else shop.checkout_body(cart_id=cart_id)
        reply = shop.post(path, asked, token=token, **({} if path.endswith("quote") else {"idempotency_key": "key"}))
        return reply.status, reply.text

    with shop.unchanged():
        known, unknown = ask(cart), ask(UNKNOWN)
    assert known == unknown
    assert (known[0], "cart_not_found" in known[1], "secret" in known[1]) == (404, True, False)


def test_the_owner_may(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    cart = shop.post("/carts", {"items": lines_of({shop.variant(): 1})}, token=token).body["id"]
    body = shop.checkout_body(cart_id=cart)
    assert shop.post("/checkout", body, token=token, idempotency_key="key").status == 201

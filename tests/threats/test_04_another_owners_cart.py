"""Threat 4: a credential of one owner with every id of another: persons, keys and guests. Not there, byte for byte."""

from typing import Any

import pytest

from tests.functions.carts.support import guest, lines_of
from tests.shop import Shop

UNKNOWN = "cart_01kaktq2m8e8q8k3v9m1c4x7zd"
KINDS = ("person", "key", "guest")


def owner(shop: Shop, kind: str, variant: str) -> tuple[dict[str, Any], Any]:
    """What an owner sends to show who they are, and a cart of theirs."""
    if kind == "guest":
        cart = guest(shop, {variant: 1})
        return {"cart_token": cart.token}, cart.view()
    sent = {"token": shop.session(shop.user("customer"))} if kind == "person" else {"api_key": shop.api_key()}
    return sent, shop.post("/carts", {"items": lines_of({variant: 1})}, **sent).body


@pytest.mark.parametrize("theirs", KINDS)
@pytest.mark.parametrize("asking", KINDS)
def test_it_is_not_there(shop: Shop, asking: str, theirs: str) -> None:
    variant = shop.variant()
    sent, own = owner(shop, asking, variant)
    _, cart = owner(shop, theirs, variant)
    item = cart["items"][0]["id"]
    asked: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("PATCH", "", {"items": []}), ("DELETE", "", None),
        ("POST", "/items", {"variant_id": variant, "quantity": 1}),
        ("PATCH", f"/items/{item}", {"quantity": 2}), ("DELETE", f"/items/{item}", None),
    ]  # fmt: skip
    with shop.unchanged():
        for method, path, body in asked:
            known, unknown = [shop.request(method, f"/carts/{id}{path}", body, **sent) for id in (cart["id"], UNKNOWN)]
            assert (known.status, known.body["code"]) == (404, "cart_not_found")
            assert known.text.replace(cart["id"], UNKNOWN) == unknown.text
        mixed = shop.delete(f"/carts/{own['id']}/items/{item}", **sent)
        assert mixed.status == 404, "an item of another's cart under one's own"
    assert shop.get(f"/carts/{own['id']}", **sent).status == 200

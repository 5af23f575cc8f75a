"""POST /me/cards. What both kinds share stands in test_belongings.py."""

from tests.functions.me.belongings import add, defaults
from tests.shop import Shop


def test_one_is_the_default_only_if_it_is_said(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    add(shop, "cards", token)
    assert defaults(shop, "cards") == []
    made = add(shop, "cards", token, is_default=True).body
    assert defaults(shop, "cards") == [made["id"]]


def test_refuses_already_exists(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    add(shop, "cards", token, card_token="tok_one_and_only")
    with shop.unchanged():
        reply = add(shop, "cards", token, card_token="tok_one_and_only", is_default=True)
    assert (reply.status, reply.body["code"]) == (409, "already_exists")

"""POST /me/addresses. What both kinds share stands in test_belongings.py."""

from tests.functions.me.belongings import add, defaults
from tests.shop import Shop


def test_one_is_the_default_only_if_it_is_said(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    add(shop, "addresses", token)
    assert defaults(shop, "addresses") == []
    made = add(shop, "addresses", token, is_default=True).body
    assert defaults(shop, "addresses") == [made["id"]]

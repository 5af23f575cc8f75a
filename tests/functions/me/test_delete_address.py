"""DELETE /me/addresses/{address}. What both kinds share stands in test_belongings.py."""

from tests.functions.me.belongings import anothers
from tests.shop import Shop


def test_refuses_not_found(shop: Shop) -> None:
    anothers(shop, "addresses", "DELETE")

"""Threat 3, a public write (EverShop #940, CVSS 9.1): nothing is written by whom no policy lets in.

Every cell of routes × callers is asked in tests/contract/test_matrix.py; here stands what it is made of: which routes
anybody may write to, by name, so that one more is a decision and no accident.
"""

from __future__ import annotations

import pytest

from api.auth import PUBLIC
from tests.contract.test_matrix import asked, code
from tests.shop import Shop, endpoints

# A guest's own cart, order and events; and the ways to become somebody.
WRITTEN_BY_ANYBODY = ("/carts", "/checkout", "/orders/{order}/cancel", "/events", "/auth/")
WRITES = sorted(
    one.name
    for one in endpoints().values()
    if one.module.startswith("functions.") and one.method != "GET" and one.permission != PUBLIC
)


def test_what_anybody_may_write_is_listed() -> None:
    found = [one for one in endpoints().values() if one.module.startswith("functions.") and one.method != "GET"]
    wrong = [one.path for one in found if one.permission == PUBLIC and not one.path.startswith(WRITTEN_BY_ANYBODY)]
    assert wrong == []


@pytest.mark.parametrize("name", WRITES)
def test_without_a_credential_nothing_is_written(shop: Shop, name: str) -> None:
    endpoint = endpoints()[name]
    with shop.unchanged():
        for credential in (None, "sk_nobody", "x.y.z"):
            assert code(asked(endpoint, credential)) == (401, "unauthenticated")

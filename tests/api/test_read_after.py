"""Where a replica may answer, who calls is asked of the primary: it may not know yet what was taken from them."""

from __future__ import annotations

from typing import Any

import pytest

from api import auth
from api.settings import Settings
from tests.engines.homes import database_class
from tests.shop import Shop


@pytest.fixture
def reads(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str | None, bool]]:
    """Every read of the shop's database: what was asked, with which token, and whether of any replica."""
    found: list[tuple[list[str], str | None, bool]] = []
    real = database_class().read

    async def read(self: Any, *statements: Any, after: str | None = None, replica: bool = False) -> Any:
        found.append(([one.sql.text for one in statements], after, replica))
        return await real(self, *statements)

    monkeypatch.setattr(database_class(), "read", read)
    monkeypatch.setattr(Settings, "replicated", True)
    return found


@pytest.mark.parametrize("path", ["/orders", "/orders/{order}", "/stock/low", "/audit-logs"])
def test_a_key_is_asked_of_the_primary(shop: Shop, reads: Any, path: str) -> None:
    path = path.replace("{order}", shop.order({shop.variant(): 1})["id"])
    reads.clear()
    assert shop.get(path, api_key=shop.admin, headers={"read-after": "7"}).status == 200
    who = [(after, replica) for texts, after, replica in reads if auth.KEY_BY_HASH.text in texts]
    assert who == [(None, False)]
    assert {after for texts, after, _ in reads if auth.KEY_BY_HASH.text not in texts} == {"7"}


def test_a_session_is_asked_of_the_primary(shop: Shop, reads: Any) -> None:
    token = shop.session(shop.user("customer"))
    reads.clear()
    assert shop.get("/me", token=token, headers={"read-after": "7"}).status == 200
    who = [after for texts, after, _ in reads if auth.USER_BY_SESSION.text in texts]
    assert who == [None]
    assert "7" in {after for _, after, _ in reads}


def test_a_key_that_is_none_is_told_though_the_replica_answers(shop: Shop, reads: Any) -> None:
    shop.execute("UPDATE api_keys SET revoked_at = created_at")
    reply = shop.get("/orders", api_key=shop.admin, headers={"read-after": "7"})
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


def test_without_a_token_one_trip_does(shop: Shop, reads: Any) -> None:
    order = shop.order({shop.variant(): 1})["id"]
    reads.clear()
    assert shop.get(f"/orders/{order}", api_key=shop.admin).status == 200
    assert len(reads) == 1

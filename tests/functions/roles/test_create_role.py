"""POST /roles."""

from __future__ import annotations

import pytest

from tests.functions.audit.support import said
from tests.functions.users.support import code, give, stepped_up
from tests.shop import Shop

AUDITOR = {"name": "auditor", "description": "Reads.", "permissions": ["stock:read", "audit:read", "stock:read"]}


def test_makes_a_role_that_grants(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    made = shop.post("/roles", AUDITOR, token=token)
    assert made.status == 201 and made.headers["location"] == "/roles/auditor"
    listed = shop.get("/roles", token=token).body["items"]
    assert made.body in listed
    assert sorted(made.body["permissions"]) == ["audit:read", "stock:read"]
    [(action, entity, before, after)] = said(shop)
    assert (action, entity, before, after["name"]) == ("roles:update", "roles", None, "auditor")
    user = shop.user()
    assert give(shop, user, "auditor", token).status == 204
    assert shop.get("/audit-logs", token=shop.session(user)).status == 200
    shop.checked()


def test_the_same_key_makes_one(shop: Shop) -> None:
    first = shop.post("/roles", AUDITOR, api_key=shop.admin, idempotency_key="one")
    with shop.unchanged():
        again = shop.post("/roles", AUDITOR, api_key=shop.admin, idempotency_key="one")
    assert (first.status, again.text) == (201, first.text)


def test_refuses_already_exists(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    with shop.unchanged():
        assert code(shop.post("/roles", {"name": "staff"}, token=token)) == (409, "already_exists")


def test_refuses_missing_reference(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    with shop.unchanged():
        reply = shop.post("/roles", {"name": "x", "permissions": ["stock:read", "no:thing"]}, token=token)
    assert code(reply) == (422, "missing_reference")
    assert [one["pointer"] for one in reply.body["errors"]] == ["/permissions/1"]


def test_nobody_makes_a_role_of_what_they_do_not_hold(shop: Shop) -> None:
    _, token = stepped_up(shop, holding=("roles:update", "stock:read"))
    with shop.unchanged():
        assert code(shop.post("/roles", AUDITOR, token=token)) == (403, "forbidden")
        assert code(shop.post("/roles", {"name": "x", "permissions": ["*"]}, token=token)) == (403, "forbidden")
    assert shop.post("/roles", {"name": "x", "permissions": ["stock:read"]}, token=token).status == 201


@pytest.mark.parametrize("wrong", [{"name": "Big"}, {"name": ""}, {"name": "a b"}, {}, {"name": "a", "id": "role_1"}])
def test_refuses_a_wrong_body(shop: Shop, wrong: dict[str, str]) -> None:
    with shop.unchanged():
        assert code(shop.post("/roles", wrong, api_key=shop.admin)) == (422, "invalid")


def test_needs_a_step_up(shop: Shop) -> None:
    token = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(shop.post("/roles", AUDITOR, token=token)) == (403, "step_up_required")

"""PATCH /roles/{role}."""

import pytest

from tests.functions.audit.support import said
from tests.functions.roles.support import auditor
from tests.functions.users.support import code, stepped_up
from tests.shop import Shop


def test_changes_name_and_description(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    auditor(shop)
    told = shop.patch_("/roles/auditor", {"description": "Reads all."}, token=token)
    assert (told.status, told.body["name"], told.body["description"]) == (200, "auditor", "Reads all.")
    assert shop.patch_("/roles/auditor", {"name": "reader"}, token=token).body["permissions"] == ["audit:read"]
    assert said(shop)[1:] == [
        ("roles:update", "roles", {"description": ""}, {"description": "Reads all."}),
        ("roles:update", "roles", {"name": "auditor"}, {"name": "reader"}),
    ]
    with shop.unchanged():
        assert shop.patch_("/roles/reader", {}, token=token).status == 200
        assert code(shop.patch_("/roles/auditor", {}, token=token)) == (404, "not_found")
    assert shop.patch_("/roles/staff", {"description": "Ours."}, token=token).status == 200
    shop.checked()


def test_what_changes_nothing_leaves_no_trail(shop: Shop) -> None:
    with shop.unchanged():
        assert shop.patch_("/roles/staff", {"name": "staff"}, api_key=shop.admin).status == 200
        assert shop.patch_("/roles/staff", {}, api_key=shop.admin).status == 200


def test_refuses_already_exists(shop: Shop) -> None:
    auditor(shop)
    with shop.unchanged():
        assert code(shop.patch_("/roles/auditor", {"name": "staff"}, api_key=shop.admin)) == (409, "already_exists")


@pytest.mark.parametrize("role", ["admin", "staff", "customer"])
def test_refuses_role_protected(shop: Shop, role: str) -> None:
    with shop.unchanged():
        assert code(shop.patch_(f"/roles/{role}", {"name": "other"}, api_key=shop.admin)) == (409, "role_protected")


def test_nobody_changes_a_role_that_grants_what_they_do_not_hold(shop: Shop) -> None:
    auditor(shop)
    _, token = stepped_up(shop, holding=("roles:update",))
    unproven = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(shop.patch_("/roles/auditor", {"description": "x"}, token=token)) == (403, "forbidden")
        assert code(shop.patch_("/roles/auditor", {"description": "x"}, token=unproven)) == (403, "step_up_required")
        assert code(shop.patch_("/roles/auditor", {"name": "A B"}, api_key=shop.admin)) == (422, "invalid")

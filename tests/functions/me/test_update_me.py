"""PATCH /me."""

from typing import Any

import pytest

from tests.shop import Shop


def test_shows_and_changes_who_has_logged_in(shop: Shop) -> None:
    user = shop.user("customer", email="Eleni@example.com")
    token = shop.session(user)
    me = shop.get("/me", token=token).body
    assert (me["id"], me["email"], me["roles"], me["first_name"]) == (user, "Eleni@example.com", ["customer"], None)
    shop.clock(1)
    changed = shop.patch_("/me", {"first_name": "Eleni", "phone": "+306912345678"}, token=token).body
    assert changed == {**me, "first_name": "Eleni", "phone": "+306912345678", "updated_at": changed["updated_at"]}
    gone = shop.patch_("/me", {"phone": None}, token=token).body
    assert (gone["phone"], gone["first_name"]) == (None, "Eleni")
    with shop.unchanged():
        assert shop.patch_("/me", {}, token=token).body == gone
        assert shop.get("/me", token=token).body == gone
    shop.checked()


@pytest.mark.parametrize(
    "body",
    [{"email": "x@example.com"}, {"status": "ACTIVE"}, {"phone": "12"}, {"first_name": ""}, {"roles": ["admin"]}],
)
def test_refuses_what_is_not_theirs_to_change(shop: Shop, body: Any) -> None:
    token = shop.session(shop.user("customer"))
    with shop.unchanged():
        assert shop.patch_("/me", body, token=token).status == 422
        assert shop.patch_("/me", {"first_name": "x"}).status == 401
        assert shop.patch_("/me", {"first_name": "x"}, api_key=shop.admin).status == 403

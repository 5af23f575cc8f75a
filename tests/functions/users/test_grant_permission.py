"""PUT /users/{user}/permissions/{permission}."""

import pytest

from tests.functions.audit.support import said
from tests.functions.users.support import allow, code, events, stepped_up
from tests.shop import Shop


def test_allows_and_denies_one_thing(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("staff")
    theirs = shop.session(user)
    assert shop.get("/audit-logs", token=theirs).status == 403
    assert code(allow(shop, user, "audit:read", token)) == (204, None)
    assert shop.get("/audit-logs", token=theirs).status == 200
    with shop.unchanged():
        assert code(allow(shop, user, "audit:read", token)) == (204, None)
    assert code(allow(shop, user, "audit:read", token, "DENY")) == (204, None)
    assert shop.get("/audit-logs", token=theirs).status == 403
    assert code(allow(shop, user, "stock:read", token, "DENY")) == (204, None)
    assert shop.get("/stock/low", token=theirs).status == 403
    assert said(shop)[1] == (
        "roles:assign", "users", {"permission": "audit:read", "effect": "ALLOW"},
        {"permission": "audit:read", "effect": "DENY"},
    )  # fmt: skip
    assert events(shop, user) == ["permission_granted", "permission_denied", "permission_denied"]
    shop.checked()


def test_refuses_last_admin(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    with shop.unchanged():
        assert code(allow(shop, admin, "*", token, "DENY")) == (409, "last_admin")
        assert code(allow(shop, admin, "roles:assign", token, "DENY")) == (409, "last_admin")
    shop.user("admin")
    assert code(allow(shop, admin, "*", token, "DENY")) == (204, None)


def test_nobody_grants_or_denies_what_they_do_not_hold(shop: Shop) -> None:
    manager, token = stepped_up(shop, holding=("roles:assign", "stock:read"))
    shop.user("admin")
    admin, user = shop.user("admin"), shop.user()
    with shop.unchanged():
        for whom in (user, manager):
            assert code(allow(shop, whom, "audit:read", token)) == (403, "forbidden")
            assert code(allow(shop, whom, "*", token)) == (403, "forbidden")
        # They hold it, but not all that the administrator has.
        assert code(allow(shop, admin, "stock:read", token, "DENY")) == (403, "forbidden")
    assert code(allow(shop, user, "stock:read", token)) == (204, None)


@pytest.mark.parametrize("permission", ["stock:nothing", "STOCK:READ", "nonsense"])
def test_refuses_what_is_not_there(shop: Shop, permission: str) -> None:
    _, token = stepped_up(shop, "admin")
    user, unproven = shop.user(), shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(allow(shop, user, permission, token)) == (404, "not_found")
        assert code(allow(shop, "user_nobody", "stock:read", token)) == (404, "not_found")
        assert code(allow(shop, user, "stock:read", token, "MAYBE")) == (422, "invalid")
        assert code(allow(shop, user, "stock:read", unproven)) == (403, "step_up_required")

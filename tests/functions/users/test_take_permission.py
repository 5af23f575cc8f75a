"""DELETE /users/{user}/permissions/{permission}."""

from tests.functions.audit.support import said
from tests.functions.users.support import code, events, stepped_up
from tests.shop import Reply, Shop


def take(shop: Shop, user: str, permission: str, token: str) -> Reply:
    return shop.delete(f"/users/{user}/permissions/{permission}", token=token)


def test_takes_back_an_allowance_and_a_denial(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("staff")
    shop.grant(user, "audit:read")
    shop.grant(user, "stock:read", "DENY")
    for permission in ("audit:read", "stock:read"):
        assert code(take(shop, user, permission, token)) == (204, None)
    assert shop.rows("SELECT * FROM user_permissions") == []
    assert [row[2] for row in said(shop)] == [
        {"permission": "audit:read", "effect": "ALLOW"}, {"permission": "stock:read", "effect": "DENY"},
    ]  # fmt: skip
    assert events(shop, user) == ["permission_taken", "permission_taken"]
    with shop.unchanged():
        assert code(take(shop, user, "audit:read", token)) == (404, "not_found")
    shop.checked()


def test_nobody_takes_what_they_do_not_hold(shop: Shop) -> None:
    manager, token = stepped_up(shop, "staff", holding=("roles:assign",))
    user = shop.user()
    shop.grant(user, "audit:read")
    shop.grant(manager, "audit:read", "DENY")
    unproven = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(take(shop, user, "audit:read", token)) == (403, "forbidden")
        # Nor is a denial taken back by whom it was laid upon.
        assert code(take(shop, manager, "audit:read", token)) == (403, "forbidden")
        assert code(take(shop, "user_nobody", "audit:read", token)) == (404, "not_found")
        assert code(take(shop, user, "audit:read", unproven)) == (403, "step_up_required")

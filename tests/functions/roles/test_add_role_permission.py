"""PUT /roles/{role}/permissions/{permission}."""

from tests.functions.audit.support import said
from tests.functions.roles.support import auditor, grants
from tests.functions.users.support import code, stepped_up
from tests.shop import Reply, Shop


def add(shop: Shop, role: str, permission: str, token: str) -> Reply:
    return shop.request("PUT", f"/roles/{role}/permissions/{permission}", {}, token=token)


def test_a_role_grants_more(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    staff = shop.session(shop.user("staff"))
    assert shop.get("/audit-logs", token=staff).status == 403
    assert code(add(shop, "staff", "audit:read", token)) == (204, None)
    assert shop.get("/audit-logs", token=staff).status == 200
    assert said(shop) == [("roles:update", "roles", {"permission": None}, {"permission": "audit:read"})]
    with shop.unchanged():
        assert code(add(shop, "staff", "audit:read", token)) == (204, None)
    shop.checked()


def test_nobody_adds_what_they_do_not_hold(shop: Shop) -> None:
    auditor(shop)
    manager, token = stepped_up(shop, holding=("roles:update", "stock:read"))
    unproven = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(add(shop, "customer", "audit:read", token)) == (403, "forbidden")
        assert code(add(shop, "customer", "*", token)) == (403, "forbidden")
        assert code(add(shop, "auditor", "stock:read", token)) == (403, "forbidden")  # it grants more than they hold
        assert code(add(shop, "customer", "stock:read", unproven)) == (403, "step_up_required")
        assert code(add(shop, "nothing", "stock:read", token)) == (404, "not_found")
        assert code(add(shop, "customer", "no:thing", token)) == (404, "not_found")
    shop.grant(manager, "audit:read")
    assert code(add(shop, "auditor", "stock:read", token)) == (204, None)
    assert grants(shop, "auditor") == ["audit:read", "stock:read"]

"""DELETE /roles/{role}/permissions/{permission}."""

from tests.functions.audit.support import said
from tests.functions.roles.support import auditor, grants
from tests.functions.users.support import code, stepped_up
from tests.shop import Reply, Shop


def remove(shop: Shop, role: str, permission: str, token: str) -> Reply:
    return shop.delete(f"/roles/{role}/permissions/{permission}", token=token)


def test_a_role_grants_less(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    staff = shop.session(shop.user("staff"))
    assert shop.get("/stock/low", token=staff).status == 200
    assert code(remove(shop, "staff", "stock:read", token)) == (204, None)
    assert shop.get("/stock/low", token=staff).status == 403
    assert said(shop) == [("roles:update", "roles", {"permission": "stock:read"}, {"permission": None})]
    with shop.unchanged():
        assert code(remove(shop, "staff", "stock:read", token)) == (404, "not_found")
    shop.checked()


def test_refuses_role_protected(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    auditor(shop, "*", name="owner")
    with shop.unchanged():
        assert code(remove(shop, "admin", "*", token)) == (409, "role_protected")
    assert code(remove(shop, "owner", "*", token)) == (204, None)
    assert (grants(shop, "admin"), grants(shop, "owner")) == (["*"], [])


def test_nobody_removes_what_they_do_not_hold(shop: Shop) -> None:
    _, token = stepped_up(shop, holding=("roles:update", "stock:read"))
    unproven = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(remove(shop, "staff", "stock:read", token)) == (403, "forbidden")
        assert code(remove(shop, "staff", "stock:read", unproven)) == (403, "step_up_required")
        assert code(remove(shop, "staff", "no:thing", token)) == (404, "not_found")

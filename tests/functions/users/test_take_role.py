"""DELETE /users/{user}/roles/{role}."""

from tests.functions.audit.support import said
from tests.functions.users.support import code, events, roles_of, stepped_up, take
from tests.shop import Shop


def test_takes_a_role(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("customer", "staff")
    assert code(take(shop, user, "staff", token)) == (204, None)
    assert roles_of(shop, user) == ["customer"]
    assert said(shop) == [("roles:assign", "users", {"role": "staff"}, {"role": None})]
    assert events(shop, user) == ["role_taken"]
    with shop.unchanged():
        assert code(take(shop, user, "staff", token)) == (404, "not_found")
    shop.checked()


def test_refuses_last_admin(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    shop.user("admin", status="SUSPENDED")
    shop.grant(shop.user("admin"), "orders:read", "DENY")
    with shop.unchanged():
        assert code(take(shop, admin, "admin", token)) == (409, "last_admin")
    other = shop.user("admin")
    assert code(take(shop, admin, "admin", token)) == (204, None)
    with shop.unchanged():
        assert shop.delete(f"/users/{other}/roles/admin", api_key=shop.admin).body["code"] == "last_admin"


def test_one_who_is_no_administrator_any_more_can_lose_the_role(shop: Shop) -> None:
    shop.user("admin")
    suspended = shop.user("admin", status="SUSPENDED")
    assert shop.delete(f"/users/{suspended}/roles/admin", api_key=shop.admin).status == 204


def test_nobody_takes_what_they_do_not_hold(shop: Shop) -> None:
    shop.user("admin")
    admin, staff = shop.user("admin"), shop.user("staff")
    _, token = stepped_up(shop, holding=("roles:assign", "stock:adjust"))
    with shop.unchanged():
        assert code(take(shop, admin, "admin", token)) == (403, "forbidden")
        assert code(take(shop, staff, "staff", token)) == (403, "forbidden")
        assert code(take(shop, "user_nobody", "staff", token)) == (404, "not_found")


def test_needs_a_step_up(shop: Shop) -> None:
    token = shop.session(shop.user("admin"))
    staff = shop.user("staff")
    with shop.unchanged():
        assert code(take(shop, staff, "staff", token)) == (403, "step_up_required")

"""DELETE /roles/{role}."""

import pytest

from tests.functions.audit.support import said
from tests.functions.roles.support import auditor
from tests.functions.users.support import code, give, roles_of, stepped_up
from tests.shop import Shop


def test_is_gone_also_from_whoever_had_it(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user("customer")
    auditor(shop)
    give(shop, user, "auditor", token)
    theirs = shop.session(user)
    assert shop.get("/audit-logs", token=theirs).status == 200
    assert code(shop.delete("/roles/auditor", token=token)) == (204, None)
    assert roles_of(shop, user) == ["customer"]
    assert shop.get("/audit-logs", token=theirs).status == 403
    assert said(shop)[-1][2]["name"] == "auditor"
    with shop.unchanged():
        assert code(shop.delete("/roles/auditor", token=token)) == (404, "not_found")
    shop.checked()


@pytest.mark.parametrize("role", ["admin", "staff", "customer"])
def test_refuses_role_protected(shop: Shop, role: str) -> None:
    with shop.unchanged():
        assert code(shop.delete(f"/roles/{role}", api_key=shop.admin)) == (409, "role_protected")


def test_nobody_deletes_a_role_that_grants_what_they_do_not_hold(shop: Shop) -> None:
    auditor(shop)
    _, token = stepped_up(shop, holding=("roles:update",))
    unproven = shop.session(shop.user("admin"))
    with shop.unchanged():
        assert code(shop.delete("/roles/auditor", token=token)) == (403, "forbidden")
        assert code(shop.delete("/roles/auditor", token=unproven)) == (403, "step_up_required")

"""PUT /users/{user}/roles/{role}."""

import pytest

from api.access import holding
from tests.functions.audit.support import said
from tests.functions.users.support import code, events, give, roles_of, stepped_up
from tests.shop import Shop


def test_gives_a_role_once(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    user = shop.user("customer")
    assert code(give(shop, user, "staff", token)) == (204, None)
    assert roles_of(shop, user) == ["customer", "staff"]
    assert said(shop) == [("roles:assign", "users", {"role": None}, {"role": "staff"})]
    assert events(shop, user) == ["role_given"]
    # The address is the administrator's own, and is erased with them, not with whom it concerns.
    assert shop.one("SELECT count(*) FROM personal_values WHERE user_id = ?", user) == 0
    assert shop.one("SELECT count(*) FROM personal_values WHERE user_id = ?", admin) > 0
    with shop.unchanged():
        assert code(give(shop, user, "staff", token)) == (204, None)
    assert shop.get("/stock/low", token=shop.session(user)).status == 200
    shop.checked()


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_nobody_gives_what_they_do_not_hold(shop: Shop, role: str) -> None:
    _, token = stepped_up(shop, holding=("roles:assign", "products:update"))
    for user in (shop.user(), shop.user(role)):
        with shop.unchanged():
            assert code(give(shop, user, role, token)) == (403, "forbidden")


def test_not_even_to_oneself(shop: Shop) -> None:
    manager, token = stepped_up(shop, "staff", holding=("roles:assign",))
    with shop.unchanged():
        assert code(give(shop, manager, "admin", token)) == (403, "forbidden")
    assert code(give(shop, shop.user(), "staff", token)) == (204, None)


def test_who_is_denied_anything_does_not_hold_everything(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    shop.grant(admin, "products:delete", "DENY")
    user = shop.user()
    with shop.unchanged():
        assert code(give(shop, user, "admin", token)) == (403, "forbidden")
        assert code(give(shop, user, "staff", token)) == (403, "forbidden")
    assert code(give(shop, user, "customer", token)) == (204, None)


def test_a_keys_scopes_are_what_it_holds(shop: Shop) -> None:
    user = shop.user()
    small, big = shop.api_key("roles:assign", "products:update"), shop.api_key("roles:assign", "*")
    with shop.unchanged():
        reply = shop.request("PUT", f"/users/{user}/roles/staff", {}, api_key=small)
    assert code(reply) == (403, "forbidden")
    assert shop.request("PUT", f"/users/{user}/roles/admin", {}, api_key=big).status == 204


def test_needs_a_step_up(shop: Shop) -> None:
    token, user = shop.session(shop.user("admin")), shop.user()
    with shop.unchanged():
        assert code(give(shop, user, "staff", token)) == (403, "step_up_required")


def test_refuses_what_is_not_there(shop: Shop) -> None:
    _, token = stepped_up(shop, "admin")
    user = shop.user()
    with shop.unchanged():
        assert code(give(shop, user, "nothing", token)) == (404, "not_found")
        assert code(give(shop, "user_nobody", "staff", token)) == (404, "not_found")


def test_rights_are_asked_for_when_it_is_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the read and the batch the administrator is denied what they are about to give."""
    admin, token = stepped_up(shop, "admin")
    shop.user("admin")
    user = shop.user()

    def meanwhile(*args: object, **sent: object) -> object:
        if not shop.one("SELECT count(*) FROM user_permissions"):
            shop.grant(admin, "stock:adjust", "DENY")
        return holding(*args, **sent)  # type: ignore[arg-type]

    monkeypatch.setattr("functions.users.give_role.holding", meanwhile)
    assert code(give(shop, user, "staff", token)) == (403, "forbidden")
    assert roles_of(shop, user) == []

"""DELETE /users/{user}."""

import pytest

from tests.functions.me.personal import planted
from tests.functions.me.test_delete_me import erased
from tests.shop import Shop

UNKNOWN = "user_01kaktq2m8e8q8k3v9m1c4x7zd"


def test_erases_like_the_person_and_leaves_a_row_in_the_log(shop: Shop) -> None:
    admin = shop.user("admin")
    user, order = planted(shop)
    token = shop.session(admin, stepped_up=True)
    erased(shop, user, order, lambda: shop.delete(f"/users/{user}", token=token))
    rows = shop.rows("SELECT user_id, action, entity, entity_id, before, after FROM audit_logs WHERE entity = 'users'")
    assert rows == [(admin, "users:delete", "users", user, '{"status":"ACTIVE"}', '{"status":"DELETED"}')]


def test_refuses_not_found(shop: Shop) -> None:
    user = shop.user("customer")
    assert shop.delete(f"/users/{user}", api_key=shop.admin).status == 204
    with shop.unchanged():
        for gone in (user, UNKNOWN):
            reply = shop.delete(f"/users/{gone}", api_key=shop.admin)
            assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_refuses_step_up_required(shop: Shop) -> None:
    user, token = shop.user("customer"), shop.session(shop.user("admin"))
    with shop.unchanged():
        reply = shop.delete(f"/users/{user}", token=token)
    assert (reply.status, reply.body["code"]) == (403, "step_up_required")


def test_refuses_forbidden(shop: Shop) -> None:
    user, admin = shop.user("customer"), shop.user("admin")
    shop.user("admin")
    own, staff = shop.session(admin, stepped_up=True), shop.session(shop.user("staff"), stepped_up=True)
    key = shop.api_key()
    with shop.unchanged():
        for who, sent in ((admin, {"token": own}), (user, {"token": staff}), (user, {"api_key": key})):
            reply = shop.delete(f"/users/{who}", **sent)
            assert (reply.status, reply.body["code"]) == (403, "forbidden")


def test_refuses_last_admin(shop: Shop) -> None:
    admin = shop.user("admin")
    with shop.unchanged():
        reply = shop.delete(f"/users/{admin}", api_key=shop.admin)
    assert (reply.status, reply.body["code"]) == (409, "last_admin")


def test_nobody_erases_who_may_more(shop: Shop) -> None:
    admin, _ = shop.user("admin"), shop.user("admin")
    staff = shop.user("staff")
    shop.grant(staff, "users:delete")
    token = shop.session(staff, stepped_up=True)
    with shop.unchanged():
        reply = shop.delete(f"/users/{admin}", token=token)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")


@pytest.mark.parametrize("how", ["denied", "unproven"])
def test_who_cannot_administer_is_no_administrator_left(shop: Shop, how: str) -> None:
    last, other = shop.user("admin"), shop.user("admin", verified=how != "unproven")
    if how == "denied":
        shop.grant(other, "*", "DENY")
    token = shop.session(last, stepped_up=True)
    with shop.unchanged():
        reply = shop.delete("/me", token=token)
    assert (reply.status, reply.body["code"]) == (409, "last_admin")

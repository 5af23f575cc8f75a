"""Threat 6, a role that grows: nobody comes to more than they hold, by whatever way; and the last owner stays.

The races stand in tests/race/test_admins.py, the single refusals beside their endpoints.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.users.support import stepped_up
from tests.shop import Shop

MANAGER = ("roles:assign", "roles:update", "roles:read", "users:read", "users:update", "stock:read")
# How somebody who administers rights might come to all of them: method, path, body. {me}, {admin}: users.
WAYS: list[tuple[str, str, Any]] = [
    ("PUT", "/users/{me}/roles/admin", {}),
    ("PUT", "/users/{me}/roles/staff", {}),
    ("PUT", "/users/{me}/permissions/*", {"effect": "ALLOW"}),
    ("PUT", "/users/{me}/permissions/audit:read", {"effect": "ALLOW"}),
    ("DELETE", "/users/{me}/permissions/products:update", None),
    ("PUT", "/roles/customer/permissions/*", {}),
    ("PUT", "/roles/mine/permissions/audit:read", {}),
    ("PUT", "/roles/admin/permissions/stock:read", {}),
    ("POST", "/roles", {"name": "big", "permissions": ["*"]}),
    ("POST", "/roles", {"name": "big", "permissions": ["stock:read", "audit:read"]}),
    ("PATCH", "/roles/admin", {"description": "ours"}),
    ("DELETE", "/roles/bigger", None),
    ("DELETE", "/roles/staff/permissions/stock:read", None),
    ("DELETE", "/users/{admin}/roles/admin", None),
    ("PUT", "/users/{admin}/permissions/stock:read", {"effect": "DENY"}),
    ("PUT", "/users/{admin}/permissions/*", {"effect": "DENY"}),
    ("PATCH", "/users/{admin}", {"status": "SUSPENDED"}),
]


@pytest.mark.parametrize("by_key", [False, True])
@pytest.mark.parametrize(("method", "path", "body"), WAYS)
def test_nobody_comes_to_more_than_they_hold(shop: Shop, by_key: bool, method: str, path: str, body: Any) -> None:
    me, token = stepped_up(shop, "customer", holding=MANAGER)
    shop.user("admin")
    admin = shop.user("admin")
    shop.grant(me, "products:update", "DENY")
    for name, permissions in (("mine", ["stock:read"]), ("bigger", ["stock:read", "audit:read"])):
        role = {"name": name, "permissions": permissions}
        assert shop.post("/roles", role, api_key=shop.admin).status == 201
    credential = shop.api_key(*MANAGER) if by_key else token
    with shop.unchanged():
        reply = shop.request(method, path.format(me=me, admin=admin), body, token=credential)
    assert (reply.status, reply.body["code"]) == (403, "forbidden")


def test_what_they_hold_they_may_give(shop: Shop) -> None:
    """The same person is not refused everything."""
    _, token = stepped_up(shop, "customer", holding=MANAGER)
    user = shop.user()
    assert shop.post("/roles", {"name": "mine", "permissions": ["stock:read"]}, token=token).status == 201
    assert shop.request("PUT", f"/users/{user}/roles/mine", {}, token=token).status == 204
    assert shop.request("PUT", f"/users/{user}/permissions/stock:read", {"effect": "DENY"}, token=token).status == 204
    assert shop.patch_(f"/users/{user}", {"status": "ACTIVE"}, token=token).status == 200


def test_the_last_administrator_stays_by_every_way(shop: Shop) -> None:
    admin, token = stepped_up(shop, "admin")
    ways: list[tuple[str, str, Any]] = [
        ("DELETE", f"/users/{admin}/roles/admin", None),
        ("PATCH", f"/users/{admin}", {"status": "SUSPENDED"}),
        ("PUT", f"/users/{admin}/permissions/*", {"effect": "DENY"}),
        ("PUT", f"/users/{admin}/permissions/roles:assign", {"effect": "DENY"}),
    ]
    with shop.unchanged():
        for method, path, body in ways:
            for credential in (token, shop.admin):
                reply = shop.request(method, path, body, token=credential)
                assert (reply.status, reply.body["code"]) == (409, "last_admin"), path
        assert shop.delete("/roles/admin/permissions/*", token=token).body["code"] == "role_protected"
        assert shop.delete("/roles/admin", token=token).body["code"] == "role_protected"

"""Administrators and those whom they administer."""

from __future__ import annotations

from tests.shop import Reply, Shop


def stepped_up(shop: Shop, *roles: str, holding: tuple[str, ...] = ()) -> tuple[str, str]:
    """A user with roles and permissions, and a token of theirs that has just shown the second factor."""
    user = shop.user(*roles)
    for permission in holding:
        shop.grant(user, permission)
    return user, shop.session(user, stepped_up=True)


def give(shop: Shop, user: str, role: str, token: str) -> Reply:
    return shop.request("PUT", f"/users/{user}/roles/{role}", {}, token=token)


def take(shop: Shop, user: str, role: str, token: str) -> Reply:
    return shop.delete(f"/users/{user}/roles/{role}", token=token)


def allow(shop: Shop, user: str, permission: str, token: str, effect: str = "ALLOW") -> Reply:
    return shop.request("PUT", f"/users/{user}/permissions/{permission}", {"effect": effect}, token=token)


def roles_of(shop: Shop, user: str) -> list[str]:
    found = shop.rows(
        "SELECT r.name FROM user_roles u JOIN roles r ON r.id = u.role_id WHERE u.user_id = ? ORDER BY r.id", user
    )
    return [name for (name,) in found]


def events(shop: Shop, user: str | None) -> list[str]:
    return [kind for (kind,) in shop.rows("SELECT type FROM security_events WHERE user_id IS ? ORDER BY rowid", user)]


def code(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.body["code"] if reply.status >= 400 else None

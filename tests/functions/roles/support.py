"""A role beside those of every shop."""

from tests.shop import Shop


def auditor(shop: Shop, *permissions: str, name: str = "auditor") -> str:
    """Made by a key that may everything. Returns its id."""
    body = {"name": name, "permissions": list(permissions or ("audit:read",))}
    made = shop.post("/roles", body, api_key=shop.admin)
    assert made.status == 201, made.text
    return str(made.body["id"])


def grants(shop: Shop, role: str) -> list[str]:
    found = shop.rows(
        "SELECT p.key FROM role_permissions g JOIN permissions p ON p.id = g.permission_id"
        " JOIN roles r ON r.id = g.role_id WHERE r.name = ? ORDER BY p.key", role,
    )  # fmt: skip
    return [key for (key,) in found]

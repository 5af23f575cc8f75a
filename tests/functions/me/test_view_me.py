"""GET /me."""

from tests.shop import Shop


def test_shows_roles_and_effective_permissions(shop: Shop) -> None:
    user = shop.user("customer", email="eleni@example.com")
    shop.grant(user, "orders:read")
    me = shop.get("/me", token=shop.session(user)).body
    assert (me["id"], me["email"], me["status"], me["two_factor_enabled"]) == (
        user,
        "eleni@example.com",
        "ACTIVE",
        False,
    )
    assert (me["roles"], me["permissions"]) == (["customer"], ["orders:read"])
    assert shop.get("/me").status == 401
    assert shop.get("/me", api_key=shop.admin).status == 403

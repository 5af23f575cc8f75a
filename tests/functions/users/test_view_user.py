"""GET /users/{user}."""

from tests.functions.users.support import code
from tests.shop import Shop


def test_tells_a_person(shop: Shop) -> None:
    user = shop.user("staff", email="eleni@example.com")
    shop.grant(user, "audit:read")
    shop.grant(user, "stock:adjust", "DENY")
    told = shop.get(f"/users/{user}", api_key=shop.admin).body
    assert (told["id"], told["email"], told["status"], told["roles"]) == (
        user,
        "eleni@example.com",
        "ACTIVE",
        ["staff"],
    )
    assert "audit:read" in told["permissions"] and "stock:adjust" not in told["permissions"]
    assert "password_hash" not in told


def test_refuses_not_found(shop: Shop) -> None:
    with shop.unchanged():
        assert code(shop.get("/users/user_nobody", api_key=shop.admin)) == (404, "not_found")


def test_needs_the_permission(shop: Shop) -> None:
    user = shop.user("staff")
    assert code(shop.get(f"/users/{user}", token=shop.session(user))) == (403, "forbidden")

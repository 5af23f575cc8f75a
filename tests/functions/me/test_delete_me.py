"""DELETE /me: nothing is left of the person, and everything of the books."""

from typing import Any

from db.statements.personal import PERSONAL
from tests.functions.me.personal import NOT_UNIQUE, canary, dump, planted
from tests.shop import Reply, Shop

MONEY = (
    "SELECT id, reference, status, version, currency, subtotal, discount, tax, shipping, total, placed_at FROM orders"
)
PAID = "SELECT id, order_id, status, amount, currency, settled_at, transaction_id FROM payments"
HISTORY = ("order_items", "order_events", "stock_moves", "audit_logs")


def erase(shop: Shop, user: str, *, stepped_up: bool = True) -> Reply:
    return shop.delete("/me", token=shop.session(user, stepped_up=stepped_up))


def erased(shop: Shop, user: str, order: str, how: Any) -> None:
    """The person is nowhere after `how`, and the books are as they were."""
    before = shop.rows(MONEY), shop.rows(PAID)
    history = {name: text for name, text in dump(shop).items() if name in HISTORY}
    reply = how()
    assert reply.status == 204, reply.text
    after = dump(shop)
    wanted = {
        f"{table}.{name}": canary(table, name) for table, row in PERSONAL.items() for name in row.shown + row.secret
    }
    left = {(name, table) for name, text in wanted.items() for table, rows in after.items()
            if text in rows and name not in NOT_UNIQUE}  # fmt: skip
    assert left == set()
    assert not [table for table, rows in after.items() if "canary" in rows]
    assert (shop.rows(MONEY), shop.rows(PAID)) == before
    assert {name: after[name] for name in HISTORY if name != "audit_logs"} == {
        name: text for name, text in history.items() if name != "audit_logs"
    }
    assert shop.rows("SELECT email, status, deleted_at IS NOT NULL FROM users WHERE id = ?", user) == [
        (f"{user}@erased.invalid", "DELETED", 1)
    ]
    for table in ("user_sessions", "user_roles", "user_permissions", "addresses", "saved_cards", "personal_values"):
        assert shop.rows(f"SELECT * FROM {table} WHERE user_id = ?", user) == []
    assert shop.rows("SELECT user_id FROM carts WHERE user_id IS NOT NULL") == []
    assert shop.get(f"/orders/{order}", api_key=shop.admin).body["customer"] == {}
    assert shop.rows("SELECT type, user_id FROM security_events WHERE type = 'user_erased'") == [("user_erased", user)]
    shop.checked()


def test_nothing_is_left_of_the_person_and_the_books_stay(shop: Shop) -> None:
    user, order = planted(shop)
    before = dump(shop)
    for table, row in PERSONAL.items():
        assert [name for name in row.shown + row.secret if canary(table, name) not in before[table]] == [], table
    token = shop.session(user, stepped_up=True)
    erased(shop, user, order, lambda: shop.delete("/me", token=token))
    assert shop.get("/me", token=token).status == 401
    assert shop.user("customer", email=canary("users", "email")), "the address is free again"


def test_another_person_keeps_everything(shop: Shop) -> None:
    planted(shop)
    other = shop.user("customer")
    shop.order({shop.variant(): 1}, token=shop.session(other))
    with shop.unchanged("users", "user_sessions", "user_roles", "orders", "idempotency_keys", "personal_values",
                        "security_events"):  # fmt: skip
        token = shop.session(other, stepped_up=True)
        assert shop.delete("/me", token=token).status == 204
    assert "canary-customer" in dump(shop)["orders"]
    assert "canary" in dump(shop)["idempotency_keys"]


def test_refuses_step_up_required(shop: Shop) -> None:
    token = shop.session(shop.user("customer"))
    with shop.unchanged():
        reply = shop.delete("/me", token=token)
    assert (reply.status, reply.body["code"]) == (403, "step_up_required")


def test_refuses_last_admin(shop: Shop) -> None:
    admin = shop.user("admin")
    shop.user("admin", status="SUSPENDED")
    token = shop.session(admin, stepped_up=True)
    with shop.unchanged():
        reply = shop.delete("/me", token=token)
    assert (reply.status, reply.body["code"]) == (409, "last_admin")
    shop.user("admin")
    assert shop.delete("/me", token=token).status == 204

"""GET /me/export, and the list of personal data that it goes by."""

from db.statements.personal import PERSONAL
from tests.functions.me.personal import canary, planted
from tests.shop import Shop

# Text that says nothing of a person: identifiers, states, times, what the shop wrote, hashes of what stands apart.
KEPT = {
    "users": "id status created_at updated_at deleted_at email_verified_at two_factor_enabled_at",
    "user_sessions": "id user_id stepped_up_at last_used_at expires_at revoked_at created_at updated_at",
    "used_refresh_tokens": "session_id created_at updated_at",
    "verification_tokens": "id user_id purpose expires_at used_at created_at updated_at",
    "password_resets": "id user_id expires_at used_at created_at updated_at",
    "recovery_codes": "user_id used_at created_at updated_at",
    "oauth_accounts": "id user_id provider created_at updated_at",
    "addresses": "id user_id created_at updated_at",
    "saved_cards": "id user_id card_type created_at updated_at",
    "personal_values": "row_id name user_id created_at updated_at",
    "orders": "id reference user_id api_key_id cart_id status currency placed_at expires_at paid_at fulfilled_at "
    "shipped_at delivered_at cancelled_at created_at updated_at",
    "payments": "id order_id user_id provider status transaction_id currency payment_channel payment_group "
    "authorized_at settled_at failed_at failure_code created_at updated_at",
    "sell_submissions": "id user_id status created_at updated_at deleted_at",
    "analytics_events": "id event_type timestamp user_id created_at",
    "idempotency_keys": "scope fingerprint expires_at created_at updated_at",
    "outbox": "id topic entity entity_id due_at sent_at created_at updated_at",
}
# Tables without anything of a user's: the shop's goods, its rules, its history in ids and salted hashes.
NOBODYS = {
    "analytics_daily", "analytics_stale_days", "api_keys", "audit_counters", "audit_links", "audit_logs", "cart_items",
    "carts", "categories", "collections", "inventory", "locations", "media", "media_links", "oauth_states",
    "order_events", "order_items", "permissions", "producers", "product_categories", "product_collections",
    "product_search_texts", "products", "rate_limits", "reservations", "role_permissions", "roles", "security_events",
    "sell_items", "stock_moves", "user_permissions", "user_roles", "variants",
}  # fmt: skip


def test_every_text_column_is_classified(shop: Shop) -> None:
    tables = [name for (name,) in shop.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    ours = [one for one in tables if not one.startswith(("sqlite_", "_cf_", "product_search_", "schema_", "migration"))]
    ours = [one for one in ours if one != "product_search"]
    assert sorted(one for one in ours if one not in PERSONAL and one not in NOBODYS) == []
    wrong = {}
    for table, row in PERSONAL.items():
        columns = {name for (name,) in shop.rows(f"SELECT name FROM pragma_table_info('{table}') WHERE type = 'TEXT'")}
        known = {*row.shown, *row.secret, *KEPT[table].split()}
        if columns != known:
            wrong[table] = columns ^ known
    assert wrong == {}


def test_shows_every_value_but_secrets(shop: Shop) -> None:
    user, order = planted(shop)
    with shop.unchanged("user_sessions"):
        reply = shop.get("/me/export", token=shop.session(user))
    assert reply.status == 200
    text = reply.text
    missing = [
        f"{table}.{name}" for table, row in PERSONAL.items() for name in row.shown if canary(table, name) not in text
    ]
    assert missing == []
    secrets = [
        f"{table}.{name}" for table, row in PERSONAL.items() for name in row.secret if canary(table, name) in text
    ]
    assert secrets == []
    assert [one["id"] for one in reply.body["orders"]] == [order]
    assert type(reply.body["addresses"][0]["is_default"]) is bool
    assert type(reply.body["events"][0]["properties"]) is type(reply.body["verifications"][0]["profile"]) is dict


def test_shows_nothing_of_anothers(shop: Shop) -> None:
    planted(shop)
    reply = shop.get("/me/export", token=shop.session(shop.user("customer")))
    assert "canary" not in reply.text
    assert shop.get("/me/export", api_key=shop.admin).status == 403
    assert shop.get("/me/export").status == 401

"""A person with something of theirs in every column that may hold it: canaries."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from db.statements.personal import PERSONAL
from tests.functions.orders.support import brought
from tests.shop import Shop

FORMS: dict[str, str] = {
    "users.email": "canary-email@example.com", "users.phone": "+306900000001",
    "users.password_hash": "$2b$04$" + "canarypw" + "A" * 45,
    "user_sessions.refresh_token_hash": hashlib.sha256(b"c1").hexdigest(),
    "user_sessions.fingerprint": hashlib.sha256(b"c2").hexdigest(),
    "used_refresh_tokens.token_hash": hashlib.sha256(b"c3").hexdigest(),
    "verification_tokens.email": "canary-verify@example.com",
    "verification_tokens.profile": '{"first_name":"canary-profile"}',
    "verification_tokens.token_hash": hashlib.sha256(b"c4").hexdigest(),
    "verification_tokens.password_hash": "$2b$04$" + "canaryvt" + "B" * 45,
    "password_resets.token_hash": hashlib.sha256(b"c5").hexdigest(),
    "recovery_codes.code_hash": hashlib.sha256(b"c6").hexdigest(),
    "oauth_accounts.email": "canary-oauth@example.com",
    "addresses.phone": "+306900000002", "addresses.country": "QX", "addresses.postal_code": "canary-postal",
    "saved_cards.bin_number": "98765432", "saved_cards.last_four_digits": "7531",
    "personal_values.value": '"canary-value"', "personal_values.salt": "canary-salt" + "x" * 32,
    "orders.customer": '{"name":"canary-customer","phone":"+306900000003","email":"canary-buyer@example.com"}',
    "orders.customer_phone": "+306900000003",
    "orders.shipping_address": '{"line1":"canary-ship","city":"x","postal_code":"x","country":"GR"}',
    "orders.billing_address": '{"line1":"canary-bill","city":"x","postal_code":"x","country":"GR"}',
    "orders.metadata": '{"canary-metadata":1}',
    "payments.bin_number": "87654329", "payments.last_four_digits": "8642",
    "payments.risk_flags": '["canary-flag"]', "payments.raw_payload": '{"canary":"raw"}',
    "sell_submissions.contact": '{"name":"canary-contact"}',
    "analytics_events.properties": '{"canary":"properties"}',
    "idempotency_keys.headers": '[["location","/canary-header"]]', "outbox.payload": '{"to":"canary-mail@example.com"}',
}  # fmt: skip
NOT_UNIQUE = {"addresses.country"}
"""Too short to be looked for in a dump."""


def canary(table: str, column: str) -> str:
    return FORMS.get(f"{table}.{column}", f"canary-{table}-{column}")


def values_of(table: str) -> dict[str, str]:
    found = PERSONAL[table]
    return {column: canary(table, column) for column in (*found.shown, *found.secret)}


def planted(shop: Shop) -> tuple[str, str]:
    """A user with a canary in every column of PERSONAL, and the id of an order of theirs that is paid."""
    user, now = shop.user("customer"), shop.now
    token = shop.session(user)
    order: str = brought(shop, "PAID", token=token)["id"]
    times: dict[str, Any] = {"created_at": now, "updated_at": now}
    late = {"expires_at": "2999-01-01T00:00:00.000Z"}
    shop.execute("DELETE FROM idempotency_keys")
    for table, where, row in (("users", "id", user), ("user_sessions", "user_id", user), ("orders", "id", order),
                              ("payments", "order_id", order)):  # fmt: skip
        columns = values_of(table)
        shop.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {where} = ?",
            *columns.values(),
            row,
        )
    session = shop.one("SELECT id FROM user_sessions")
    more: dict[str, dict[str, Any]] = {
        "used_refresh_tokens": {"session_id": session, **times},
        "verification_tokens": {"id": "v", "user_id": user, "purpose": "REGISTER", **late, **times},
        "password_resets": {"id": "p", "user_id": user, **late, **times},
        "recovery_codes": {"user_id": user, **times},
        "oauth_accounts": {"id": "o", "user_id": user, "provider": "github", **times},
        "addresses": {"id": shop.ids("address")[0], "user_id": user, **times},
        "saved_cards": {
            "id": shop.ids("card")[0], "user_id": user, "expiry_month": 1, "expiry_year": 2030, **times
        },
        "personal_values": {"row_id": "audit_x", "name": "/after/email", "user_id": user, **times},
        "sell_submissions": {"id": "s", "user_id": user, **times},
        "analytics_events": {
            "id": shop.ids("event")[0], "event_type": "pageview", "timestamp": now, "user_id": user, "created_at": now
        },
        "idempotency_keys": {"scope": user, "fingerprint": "0" * 64, "status": 201, **late, **times},
        "outbox": {
            "id": shop.ids("outbox")[0], "topic": "mail.verify_email", "entity": "users", "entity_id": user,
            "due_at": now, **times,
        },
    }  # fmt: skip
    for table, values in more.items():
        shop.insert(table, **values_of(table), **values)
    shop.insert(
        "idempotency_keys", scope="anonymous", key="a guest's", fingerprint="0" * 64, status=201, headers="[]",
        answer=json.dumps({"id": order, "customer": {"name": "canary-of-a-guest"}}), **late, **times,
    )  # fmt: skip
    return user, order


def dump(shop: Shop) -> dict[str, str]:
    """Every table as text."""
    names = [
        name
        for (name,) in shop.rows(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
        )
        if not name.startswith(("product_search", "_cf_"))
    ]
    return {name: repr(shop.rows(f"SELECT * FROM {name}")) for name in names}

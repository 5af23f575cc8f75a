"""Where personal data of a user stands: the one list that the export, the erasure and their test go by.

An erasure keeps the books: orders, payments and history stay with their amounts, without the person. What document 001
calls a cascade is written out. A table or column that is new is classified here or in the test, or the test fails.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from db.sql import Sql, Statement
from db.statements.access import NOT_LAST_ADMIN, USER_STANDS
from db.statements.orders import ORDER_JSON
from db.statements.people import PERSON, PERSON_INDEXES


class Personal(NamedTuple):
    """The columns of a table that hold personal data: those that the export shows, and secrets, which are of no use to
    anybody but are erased as well."""

    shown: tuple[str, ...]
    secret: tuple[str, ...] = ()


PERSONAL: Final[dict[str, Personal]] = {
    "users": Personal(("email", "first_name", "last_name", "phone"), ("password_hash", "two_factor_secret")),
    "user_sessions": Personal(("ip_address", "user_agent"), ("refresh_token_hash", "fingerprint")),
    "used_refresh_tokens": Personal((), ("token_hash",)),
    "verification_tokens": Personal(("email", "profile"), ("token_hash", "password_hash")),
    "password_resets": Personal((), ("token_hash",)),
    "recovery_codes": Personal((), ("code_hash",)),
    "oauth_accounts": Personal(("provider_account_id", "email")),
    "addresses": Personal(
        ("label", "full_name", "phone", "line1", "line2", "city", "state", "postal_code", "country")
    ),
    "saved_cards": Personal(
        (
            "card_alias", "bin_number", "last_four_digits", "card_association", "card_family", "card_bank_name",
            "card_holder_name",
        ),
        ("card_token",),
    ),
    "personal_values": Personal(("value",), ("salt",)),
    "orders": Personal(("customer", "customer_phone", "shipping_address", "billing_address", "notes", "metadata")),
    "payments": Personal(
        (
            "card_association", "card_family", "bin_number", "last_four_digits", "ip_address", "device_id",
            "failure_reason", "risk_flags", "raw_payload",
        ),
        ("card_token", "three_ds_html", "conversation_id"),
    ),
    "sell_submissions": Personal(("contact", "notes")),
    "analytics_events": Personal(("session_id", "properties")),
    "idempotency_keys": Personal((), ("key", "headers", "answer")),
    "outbox": Personal((), ("payload",)),
}  # fmt: skip


_IS_JSON: Final = {"payload", "value", "profile", "risk_flags", "raw_payload", "properties", "contact"}


def _member(name: str) -> str:
    if name in _IS_JSON:
        return f"'{name}', json(t.{name})"
    if name.startswith("is_"):
        return f"'{name}', json(CASE t.{name} WHEN 1 THEN 'true' ELSE 'false' END)"
    return f"'{name}', t.{name}"


def _rows(table: str, columns: tuple[str, ...], *indexes: str, where: str = "t.user_id = :user_id") -> Sql:
    members = ", ".join(map(_member, columns))
    return Sql(f"SELECT json_object({members}) AS row FROM {table} t WHERE {where}", *indexes)


def _shown(table: str, *more: str) -> tuple[str, ...]:
    return (*more, *PERSONAL[table].shown, "created_at")


_OF_ORDERS: Final = "SELECT o.id FROM orders o WHERE o.user_id = :user_id"
EXPORTS: Final[dict[str, Sql]] = {
    "user": Sql(
        f"SELECT {PERSON} AS row FROM live_users u WHERE u.id = :user_id",
        "users.pk",
        *PERSON_INDEXES,
    ),
    "sessions": _rows(
        "user_sessions", _shown("user_sessions", "id", "last_used_at", "expires_at", "revoked_at"),
        "user_sessions_by_user",
    ),
    "verifications": _rows(
        "verification_tokens", _shown("verification_tokens", "purpose", "used_at"), "verification_tokens_by_user"
    ),
    "sign_ins": _rows("oauth_accounts", _shown("oauth_accounts", "provider"), "oauth_accounts_one_of_a_kind"),
    "addresses": _rows("addresses", _shown("addresses", "id", "is_default"), "addresses_by_user"),
    "cards": _rows(
        "saved_cards", _shown("saved_cards", "id", "card_type", "expiry_month", "expiry_year", "is_default"),
        "saved_cards_by_user",
    ),
    "orders": Sql(
        f"SELECT {ORDER_JSON} AS row FROM orders o WHERE o.user_id = :user_id",
        "orders_by_user_and_time",
        "order_items_by_order",
    ),
    "payments": _rows(
        "payments",
        _shown("payments", "id", "order_id", "provider", "status", "amount", "currency"),
        "payments_by_order",
        "orders_by_user_and_time",
        where=f"t.order_id IN ({_OF_ORDERS})",
    ),
    "carts": Sql(
        """
        SELECT json_object('id', c.id, 'status', c.status, 'created_at', c.created_at, 'items', json((
          SELECT json_group_array(json_object('variant_id', i.variant_id, 'quantity', i.quantity))
          FROM cart_items i WHERE i.cart_id = c.id))) AS row
        FROM carts c WHERE c.user_id = :user_id
        """,
        "carts_by_user",
        "cart_items_by_cart",
    ),
    "sell_submissions": _rows(
        "sell_submissions", _shown("sell_submissions", "id", "status"), "sell_submissions_by_user"
    ),
    "events": _rows(
        "analytics_events", _shown("analytics_events", "event_type", "timestamp"), "idx_analytics_user"
    ),
    "security_events": _rows("security_events", ("id", "type", "payload", "created_at"), "security_events_by_user"),
    "values_in_history": _rows(
        "personal_values", ("row_id", "name", *_shown("personal_values")), "personal_values_by_user"
    ),
}  # fmt: skip


def _delete(table: str, index: str, where: str = "user_id = :user_id") -> Sql:
    return Sql(f"DELETE FROM {table} WHERE {where}", index)


def _emptied(table: str, *kept: str) -> str:
    found = PERSONAL[table]
    return ", ".join(f"{name} = NULL" for name in (*found.shown, *found.secret) if name not in kept)


# In this order: what finds its rows by the person's orders comes before these forget the person.
FORGETS: Final[tuple[Sql, ...]] = (
    # Answers that were kept for a day: to what the person asked, and to whoever else was shown them or their orders.
    Sql(
        f"""
        DELETE FROM idempotency_keys WHERE scope = :user_id OR instr(answer, :user_id) > 0
          OR CASE WHEN json_valid(answer) THEN answer ->> '$.id' IN ({_OF_ORDERS}) ELSE 0 END
        """,
        "idempotency_keys.pk",
        "orders_by_user_and_time",
    ),
    _delete("outbox", "outbox_by_entity", "entity_id = :user_id AND topic >= 'mail.' AND topic < 'mail/'"),
    Sql(
        f"UPDATE payments SET {_emptied('payments')}, user_id = NULL, updated_at = :now "
        f"WHERE order_id IN ({_OF_ORDERS})",
        "payments_by_order",
        "orders_by_user_and_time",
    ),
    Sql(
        f"UPDATE payments SET {_emptied('payments')}, user_id = NULL, updated_at = :now WHERE user_id = :user_id",
        "payments_by_user",
    ),
    Sql(
        f"UPDATE orders SET user_id = NULL, {_emptied('orders', 'customer', 'metadata')}, customer = '{{}}', "
        "metadata = '{}', updated_at = :now WHERE user_id = :user_id",
        "orders_by_user_and_time",
    ),
    Sql("UPDATE carts SET user_id = NULL, updated_at = :now WHERE user_id = :user_id", "carts_by_user"),
    Sql(
        "UPDATE sell_submissions SET user_id = NULL, contact = '{}', notes = NULL, updated_at = :now "
        "WHERE user_id = :user_id",
        "sell_submissions_by_user",
    ),
    # What cannot be told apart any more is counted again.
    Sql(
        """
        INSERT INTO analytics_stale_days (date, created_at, updated_at)
        SELECT substr(timestamp, 1, 10), :now, :now FROM analytics_events WHERE user_id = :user_id
        ON CONFLICT (date) DO UPDATE SET updated_at = excluded.updated_at
        """,
        "idx_analytics_user",
    ),
    Sql(
        "UPDATE analytics_events SET session_id = NULL, properties = '{}' WHERE user_id = :user_id",
        "idx_analytics_user",
    ),
    Sql(
        """
        DELETE FROM used_refresh_tokens
        WHERE session_id IN (SELECT s.id FROM user_sessions s WHERE s.user_id = :user_id)
        """,
        "used_refresh_tokens_by_session",
        "user_sessions_by_user",
    ),
    _delete("user_sessions", "user_sessions_by_user"),
    _delete("verification_tokens", "verification_tokens_by_user"),
    _delete("password_resets", "idx_password_resets_user"),
    _delete("recovery_codes", "recovery_codes.pk"),
    _delete("oauth_accounts", "oauth_accounts_one_of_a_kind"),
    _delete("addresses", "addresses_by_user"),
    _delete("saved_cards", "saved_cards_by_user"),
    _delete("user_roles", "user_roles.pk"),
    _delete("user_permissions", "user_permissions.pk"),
    _delete("personal_values", "personal_values_by_user"),
    Sql(
        """
        UPDATE users SET email = id || '@erased.invalid', status = 'DELETED', password_hash = NULL, first_name = NULL,
          last_name = NULL, phone = NULL, email_verified_at = NULL, two_factor_enabled_at = NULL,
          two_factor_secret = NULL, two_factor_step = 0, deleted_at = :now, updated_at = :now
        WHERE id = :user_id
        """,
        "users.pk",
    ),
)


def exporting(user_id: str | None) -> list[Statement]:
    """The questions for everything about a user, in the order of EXPORTS; each row has its JSON in `row`."""
    return [one(user_id=user_id) for one in EXPORTS.values()]


def told(found: list[list[dict[str, str]]]) -> str:
    """The export as JSON of what `exporting` found."""
    parts = zip(EXPORTS, found, strict=True)
    return "{" + ",".join(f'"{name}":[{",".join([row["row"] for row in rows])}]' for name, rows in parts) + "}"


def erasing(user_id: str, now: str) -> list[Statement]:
    """The batch that erases a user: all or nothing, and never the last administrator."""
    values = {"user_id": user_id, "now": now}
    guards = [USER_STANDS(user_id=user_id), NOT_LAST_ADMIN(user_id=user_id)]
    return [*guards, *(one(**{name: values[name] for name in one.names}) for one in FORGETS)]

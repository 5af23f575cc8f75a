"""What belongs to one person alone: addresses and saved cards. Every statement asks for the owner, too.

At most one of a kind is the default. Whoever sets one takes the mark from the other in the same batch; under it stand
the unique indexes addresses_one_default and saved_cards_one_default.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql, guard

ADDRESS_COLUMNS: Final = (
    "label", "full_name", "phone", "line1", "line2", "city", "state", "postal_code", "country", "is_default",
)  # fmt: skip
CARD_CHANGES: Final = ("card_alias", "card_holder_name", "expiry_month", "expiry_year", "is_default")
CARD_COLUMNS: Final = (
    "card_alias", "bin_number", "last_four_digits", "card_type", "card_association", "card_family", "card_bank_name",
    "card_holder_name", "expiry_month", "expiry_year", "is_default",
)  # fmt: skip


def _shown(columns: tuple[str, ...]) -> str:
    """JSON of a row, as it is answered."""
    flag = "json(CASE b.is_default WHEN 1 THEN 'true' ELSE 'false' END)"
    members = [f"'{name}', {flag if name == 'is_default' else f'b.{name}'}" for name in columns]
    return f"json_object('id', b.id, {', '.join(members)}, 'created_at', b.created_at, 'updated_at', b.updated_at)"


def _list(table: str, columns: tuple[str, ...]) -> Sql:
    return Sql(
        f"SELECT b.id, {_shown(columns)} AS item FROM {table} b "
        "WHERE b.user_id = :user_id AND b.id > :after ORDER BY b.id LIMIT :count",
        f"{table}_by_user",
    )


def _find(table: str, columns: tuple[str, ...]) -> Sql:
    return Sql(
        f"SELECT {_shown(columns)} AS item FROM {table} b WHERE b.id = :id AND +b.user_id = :user_id", f"{table}.pk"
    )


def _add(table: str, columns: tuple[str, ...]) -> Sql:
    """:values is a JSON object of the columns."""
    values = ", ".join(f":values ->> '{name}'" for name in columns)
    return Sql(
        f"INSERT INTO {table} (id, user_id, {', '.join(columns)}, created_at, updated_at) "
        f"VALUES (:id, :user_id, {values}, :now, :now)"
    )


def _as_read(table: str) -> Sql:
    return Sql(
        guard(
            f"EXISTS (SELECT 1 FROM {table} WHERE id = :id AND +user_id = :user_id AND updated_at = :updated_at)",
            "stale",
            f"'{table}'",
        ),
        f"{table}.pk",
    )


def _unmark(table: str) -> Sql:
    return Sql(
        f"UPDATE {table} SET is_default = 0, updated_at = :now "
        "WHERE user_id = :user_id AND is_default = 1 AND id <> :id",
        f"{table}_one_default",
    )


def _change(table: str, columns: tuple[str, ...]) -> Sql:
    """:changes is a JSON object of the columns that change, null where one becomes null."""
    changed = ", ".join(
        f"{name} = CASE WHEN json_type(:changes, '$.{name}') IS NULL THEN {name} ELSE :changes ->> '{name}' END"
        for name in columns
    )
    return Sql(f"UPDATE {table} SET {changed}, updated_at = :now WHERE id = :id AND +user_id = :user_id", f"{table}.pk")


def _remove(table: str) -> Sql:
    return Sql(f"DELETE FROM {table} WHERE id = :id AND +user_id = :user_id", f"{table}.pk")


LIST_ADDRESSES = _list("addresses", ADDRESS_COLUMNS)
FIND_ADDRESS = _find("addresses", ADDRESS_COLUMNS)
ADD_ADDRESS = _add("addresses", ADDRESS_COLUMNS)
ADDRESS_AS_READ = _as_read("addresses")
UNMARK_ADDRESS = _unmark("addresses")
CHANGE_ADDRESS = _change("addresses", ADDRESS_COLUMNS)
REMOVE_ADDRESS = _remove("addresses")

LIST_CARDS = _list("saved_cards", CARD_COLUMNS)
FIND_CARD = _find("saved_cards", CARD_COLUMNS)
ADD_CARD = _add("saved_cards", ("card_token", *CARD_COLUMNS))
CARD_AS_READ = _as_read("saved_cards")
UNMARK_CARD = _unmark("saved_cards")
CHANGE_CARD = _change("saved_cards", CARD_CHANGES)
REMOVE_CARD = _remove("saved_cards")

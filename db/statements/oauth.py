"""Statements on sign-in through a provider: whose an account there is, and what makes it somebody's.

What was read is held by AS_READ and UNKNOWN_AS_READ: whoever was linked, verified or registered meanwhile is read anew.
"""

from __future__ import annotations

from typing import Final

from db.sql import Sql, guard
from db.statements.people import USER

_ACCOUNT: Final = "provider = :provider AND provider_account_id = :account_id"

# `live` is 0 for an account whose user is gone.
USER_BY_ACCOUNT = Sql(
    f"""
    SELECT {USER}, u.deleted_at IS NULL AS live
    FROM oauth_accounts a JOIN users u ON u.id = a.user_id
    WHERE a.provider = :provider AND a.provider_account_id = :account_id
    """,
    "oauth_accounts_account_once",
    "users.pk",
    "recovery_codes.pk",
)
# `linked`: to another account of the same provider.
USER_BY_EMAIL = Sql(
    f"""
    SELECT {USER}, 1 AS live,
      EXISTS (SELECT 1 FROM oauth_accounts a WHERE a.user_id = u.id AND a.provider = :provider) AS linked
    FROM live_users u WHERE lower(u.email) = lower(:email)
    """,
    "users_email_once",
    "recovery_codes.pk",
    "oauth_accounts_one_of_a_kind",
)
AS_READ = Sql(
    guard(
        f"EXISTS (SELECT 1 FROM live_users WHERE id = :user_id AND status = 'ACTIVE' "
        "AND lower(email) = lower(:email) AND email_verified_at IS :verified_at AND password_hash IS :password_hash) "
        f"AND :owner IS (SELECT user_id FROM oauth_accounts WHERE {_ACCOUNT})",
        "stale",
        "'users'",
    ),
    "users.pk",
    "oauth_accounts_account_once",
)
UNKNOWN_AS_READ = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM live_users WHERE lower(email) = lower(:email)) "
        f"AND NOT EXISTS (SELECT 1 FROM oauth_accounts WHERE {_ACCOUNT})",
        "stale",
        "'users'",
    ),
    "users_email_once",
    "oauth_accounts_account_once",
)
ADD_USER = Sql("""
    INSERT INTO users (id, email, first_name, last_name, email_verified_at, created_at, updated_at)
    VALUES (:id, :email, :first_name, :last_name, :now, :now, :now)
""")
ADD_ACCOUNT = Sql("""
    INSERT INTO oauth_accounts (id, user_id, provider, provider_account_id, email, created_at, updated_at)
    VALUES (:id, :user_id, :provider, :account_id, :email, :now, :now)
""")
# Nothing of who registered the address without proving it stays: no password, factor, name or phone.
TAKE_OVER = Sql(
    """
    UPDATE users SET password_hash = NULL, two_factor_secret = NULL, two_factor_enabled_at = NULL, two_factor_step = 0,
      first_name = :first_name, last_name = :last_name, phone = NULL, email_verified_at = :now, updated_at = :now
    WHERE id = :user_id
    """,
    "users.pk",
)
FORGET_ACCOUNTS = Sql("DELETE FROM oauth_accounts WHERE user_id = :user_id", "oauth_accounts_one_of_a_kind")

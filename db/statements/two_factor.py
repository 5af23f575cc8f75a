"""Statements on the second factor: what uses a code up, so that it is good once, and what turns the factor on and off.

A guard says whether the factor is still what was read; the later of two that use one code at once is refused.
"""

from __future__ import annotations

from db.sql import Sql, guard

# Of who has none: it was not turned on since the read, by which nobody was asked for a code.
STILL_OFF = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :user_id AND two_factor_enabled_at IS NULL)", "stale", "'users'"
    ),
    "users.pk",
)
STEP_UNUSED = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users "
        "WHERE id = :user_id AND two_factor_enabled_at = :enabled_at AND two_factor_step < :step)",
        "invalid_credentials",
    ),
    "users.pk",
)
USE_STEP = Sql(
    "UPDATE users SET two_factor_step = :step, updated_at = :now WHERE id = :user_id AND two_factor_step < :step",
    "users.pk",
)
RECOVERY_CODE_UNUSED = Sql(
    guard(
        "EXISTS (SELECT 1 FROM recovery_codes WHERE user_id = :user_id AND code_hash = :hash AND used_at IS NULL)",
        "invalid_credentials",
    ),
    "recovery_codes.pk",
)
USE_RECOVERY_CODE = Sql(
    """
    UPDATE recovery_codes SET used_at = :now, updated_at = :now
    WHERE user_id = :user_id AND code_hash = :hash AND used_at IS NULL
    """,
    "recovery_codes.pk",
)

# The secret is the one that was read (null: none), and so is whether it is in use.
AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users "
        "WHERE id = :user_id AND two_factor_secret IS :secret AND two_factor_enabled_at IS :enabled_at)",
        "stale",
        "'users'",
    ),
    "users.pk",
)
SET = Sql(
    """
    UPDATE users SET two_factor_secret = :secret, two_factor_enabled_at = :enabled_at, two_factor_step = :step,
      updated_at = :now
    WHERE id = :user_id
    """,
    "users.pk",
)
FORGET_RECOVERY_CODES = Sql("DELETE FROM recovery_codes WHERE user_id = :user_id", "recovery_codes.pk")
# :hashes = a list.
ADD_RECOVERY_CODES = Sql("""
    INSERT INTO recovery_codes (user_id, code_hash, created_at, updated_at)
    SELECT :user_id, value, :now, :now FROM json_each(:hashes)
""")

"""Statements on people that more than one endpoint sends. `u` is the user's row wherever one is told."""

from __future__ import annotations

from typing import Final

from db.sql import Sql, guard

# Effective permissions, as api.auth.Actor.may judges them: a denial wins, `*` holds all there are, and is itself left
# out once anything is denied. `key >= ''` walks the two dozen permissions in their order.
_OF_USER: Final = "FROM user_permissions e WHERE e.user_id = u.id"
_STAR: Final = "(SELECT id FROM permissions WHERE key = '*')"
_PERMISSIONS: Final = f"""
    SELECT json_group_array(h.key) FROM (
      SELECT p.key FROM permissions p
      WHERE p.key >= ''
        AND (EXISTS (SELECT 1 FROM user_roles r CROSS JOIN role_permissions g ON g.role_id = r.role_id
            WHERE r.user_id = u.id AND +g.permission_id IN (p.id, {_STAR}))
          OR EXISTS (SELECT 1 {_OF_USER} AND e.permission_id IN (p.id, {_STAR}) AND e.effect = 'ALLOW'))
        AND NOT EXISTS (SELECT 1 {_OF_USER} AND e.permission_id IN (p.id, {_STAR}) AND e.effect = 'DENY')
        AND NOT (p.key = '*' AND EXISTS (SELECT 1 {_OF_USER} AND e.effect = 'DENY'))
      ORDER BY p.key) h
"""
_ROLES: Final = """
    SELECT json_group_array(n.name) FROM (
      SELECT o.name FROM user_roles r CROSS JOIN roles o ON o.id = r.role_id WHERE r.user_id = u.id
      ORDER BY r.role_id) n
"""
# The Person of the contract (api.people_shapes.Person), an expression over `u`.
PERSON: Final = f"""
    json_object('id', u.id, 'email', u.email, 'first_name', u.first_name, 'last_name', u.last_name, 'phone', u.phone,
      'status', u.status, 'email_verified_at', u.email_verified_at,
      'two_factor_enabled', json(CASE WHEN u.two_factor_enabled_at IS NULL THEN 'false' ELSE 'true' END),
      'roles', json(({_ROLES})), 'permissions', json(({_PERMISSIONS})),
      'created_at', u.created_at, 'updated_at', u.updated_at)
"""
PERSON_INDEXES: Final = (
    "user_roles.pk", "roles.pk", "permissions_key_once", "role_permissions.pk", "user_permissions.pk",
)  # fmt: skip

# What a log-in is judged by. lower() is of ASCII, as in the index; so are our addresses (api.people_shapes.Email).
USER: Final = """
    u.id, u.email, u.status, u.password_hash, u.email_verified_at, u.two_factor_secret, u.two_factor_enabled_at,
    u.two_factor_step,
    (SELECT json_group_array(c.code_hash) FROM recovery_codes c WHERE c.user_id = u.id AND c.used_at IS NULL)
      AS recovery_codes
"""
USER_BY_EMAIL = Sql(
    f"SELECT {USER}, {PERSON} AS person FROM live_users u WHERE lower(u.email) = lower(:email)",
    "users_email_once",
    "recovery_codes.pk",
    *PERSON_INDEXES,
)
USER_BY_ID = Sql(f"SELECT {USER} FROM live_users u WHERE u.id = :user_id", "users.pk", "recovery_codes.pk")

ADD_SESSION = Sql("""
    INSERT INTO user_sessions (id, user_id, refresh_token_hash, fingerprint, ip_address, user_agent, stepped_up_at,
      last_used_at, expires_at, created_at, updated_at)
    VALUES (:id, :user_id, :refresh_token_hash, :fingerprint, :ip_address, :user_agent, :stepped_up_at, :now,
      :expires_at, :now, :now)
""")
# All of a user's, but for the one to keep (null keeps none).
END_SESSIONS = Sql(
    """
    UPDATE user_sessions SET revoked_at = :now, updated_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL AND id IS NOT :keep
    """,
    "user_sessions_by_user",
)
# The user's session, if it is not over yet; otherwise the line is run again and finds out who asks.
SESSION_LIVES = Sql(
    guard(
        "EXISTS (SELECT 1 FROM user_sessions "
        "WHERE id = :session_id AND +user_id = :user_id AND revoked_at IS NULL AND expires_at > :now)",
        "stale",
        "'session'",
    ),
    "user_sessions.pk",
)
END_SESSION = Sql(
    """
    UPDATE user_sessions SET revoked_at = :now, updated_at = :now
    WHERE id = :session_id AND +user_id = :user_id AND revoked_at IS NULL
    """,
    "user_sessions.pk",
)

SET_PASSWORD = Sql("UPDATE users SET password_hash = :password_hash, updated_at = :now WHERE id = :user_id", "users.pk")
# No link of a reset is good after the password has changed.
VOID_RESETS = Sql(
    "UPDATE password_resets SET used_at = :now, updated_at = :now WHERE user_id = :user_id AND used_at IS NULL",
    "idx_password_resets_user",
)
ADD_CUSTOMER = Sql(
    """
    INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)
    SELECT :user_id, r.id, :now, :now, :now FROM roles r
    WHERE r.name = 'customer' AND NOT EXISTS (SELECT 1 FROM user_roles WHERE user_id = :user_id AND role_id = r.id)
    """,
    "roles_name_once",
    "user_roles.pk",
)
# What the links of registrations carried goes with them.
VOID_TOKENS = Sql(
    """
    UPDATE verification_tokens SET used_at = :now, password_hash = NULL, profile = '{}', updated_at = :now
    WHERE user_id = :user_id AND used_at IS NULL
    """,
    "verification_tokens_by_user",
)
# What somebody ordered as a guest is theirs once they have proven the address that they gave.
CLAIM_ORDERS = Sql(
    """
    UPDATE orders SET user_id = :user_id, updated_at = :now
    WHERE lower(json_extract(customer, '$.email')) = lower(:email) AND user_id IS NULL AND api_key_id IS NULL
    """,
    "orders_by_guest_email",
)

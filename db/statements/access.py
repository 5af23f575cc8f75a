"""Statements on rights: what whoever grants must hold, who the last administrator is, and a role as JSON."""

from __future__ import annotations

from typing import Final

from db.sql import Sql, guard

CUSTOMER: Final = "role_00000000000000000000000001"
STAFF: Final = "role_00000000000000000000000002"
ADMIN: Final = "role_00000000000000000000000003"
SEEDED: Final = (CUSTOMER, STAFF, ADMIN)
"""The roles that every shop has: they keep their names."""

_KEY_LIVES: Final = (
    "k.id = :actor_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)"
)  # fmt: skip
# What the actor has to hold: :keys, all that a role grants (:role_id) and all that a user has been granted (:over).
_NEEDED: Final = """
    SELECT value AS key FROM json_each(:keys)
    UNION ALL SELECT p.key FROM role_permissions g CROSS JOIN permissions p ON p.id = g.permission_id
      WHERE g.role_id = :role_id
    UNION ALL SELECT p.key FROM user_roles r CROSS JOIN role_permissions g ON g.role_id = r.role_id
      CROSS JOIN permissions p ON p.id = g.permission_id WHERE r.user_id = :over
    UNION ALL SELECT p.key FROM user_permissions e CROSS JOIN permissions p ON p.id = e.permission_id
      WHERE e.user_id = :over AND e.effect = 'ALLOW'
"""
# As api.auth.Actor.may judges, but that `*` is held only by whom nothing is denied.
_HELD: Final = f"""
    (EXISTS (SELECT 1 FROM user_roles r CROSS JOIN role_permissions g ON g.role_id = r.role_id
        CROSS JOIN permissions p ON p.id = g.permission_id WHERE r.user_id = :actor_id AND +p.key IN (n.key, '*'))
      OR EXISTS (SELECT 1 FROM user_permissions e CROSS JOIN permissions p ON p.id = e.permission_id
        WHERE e.user_id = :actor_id AND e.effect = 'ALLOW' AND +p.key IN (n.key, '*'))
      OR EXISTS (SELECT 1 FROM api_keys k CROSS JOIN json_each(k.scopes) s
        WHERE {_KEY_LIVES} AND s.value IN (n.key, '*')))
    AND NOT EXISTS (SELECT 1 FROM user_permissions e CROSS JOIN permissions p ON p.id = e.permission_id
      WHERE e.user_id = :actor_id AND e.effect = 'DENY' AND (n.key = '*' OR +p.key IN (n.key, '*')))
"""
# Nobody gives, takes or changes what they do not hold themselves, at the moment at which it is written.
HOLDS = Sql(
    guard(
        f"""NOT EXISTS (SELECT 1 FROM ({_NEEDED}) n WHERE NOT ({_HELD}))
        AND (EXISTS (SELECT 1 FROM api_keys k WHERE {_KEY_LIVES})
          OR EXISTS (SELECT 1 FROM live_users WHERE id = :actor_id AND status = 'ACTIVE'))""",
        "forbidden",
    ),
    "role_permissions.pk",
    "permissions.pk",
    "user_roles.pk",
    "user_permissions.pk",
    "api_keys.pk",
    "users.pk",
)


def _admin(user: str) -> str:
    """Whether there is an administrator whose id fits: who can log in, has the role, and is denied nothing."""
    return f"""EXISTS (SELECT 1 FROM user_roles r CROSS JOIN live_users u ON u.id = r.user_id
        WHERE r.role_id = '{ADMIN}' AND r.user_id {user} AND +u.status = 'ACTIVE'
          AND +u.email_verified_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM user_permissions e WHERE e.user_id = u.id AND e.effect = 'DENY'))"""


# Before whatever makes :user_id an administrator no more: there is another. Batches come one after the other, so of two
# administrators who remove each other the later finds nobody left.
NOT_LAST_ADMIN = Sql(
    guard(f"NOT {_admin('= :user_id')} OR {_admin('<> :user_id')}", "last_admin"),
    "user_roles.pk",
    "user_roles_by_role",
    "users.pk",
    "user_permissions.pk",
)

# A role `r` as the contract shows it.
ROLE: Final = """
    json_object('id', r.id, 'name', r.name, 'description', r.description,
      'permissions', (SELECT json_group_array(key) FROM (
        SELECT p.key FROM role_permissions g CROSS JOIN permissions p ON p.id = g.permission_id
        WHERE g.role_id = r.id ORDER BY g.permission_id)),
      'created_at', r.created_at, 'updated_at', r.updated_at)
"""
ROLE_INDEXES: Final = ("role_permissions.pk", "permissions.pk")
ROLE_BY_NAME = Sql("SELECT id, name, description FROM roles WHERE name = :role", "roles_name_once")
ROLE_STANDS = Sql(
    guard("EXISTS (SELECT 1 FROM roles WHERE id = :role_id AND +name = :name)", "stale", "'role'"), "roles.pk"
)
USER_STANDS = Sql(guard("EXISTS (SELECT 1 FROM live_users WHERE id = :user_id)", "stale", "'user'"), "users.pk")
# A user and a role, and whether the one has the other.
USER_AND_ROLE = Sql(
    """
    SELECT u.id AS user_id, r.id AS role_id,
      EXISTS (SELECT 1 FROM user_roles x WHERE x.user_id = u.id AND x.role_id = r.id) AS given
    FROM live_users u CROSS JOIN roles r WHERE u.id = :user AND r.name = :role
    """,
    "users.pk",
    "roles_name_once",
    "user_roles.pk",
)
ROLE_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :user_id) AND EXISTS (SELECT 1 FROM roles WHERE id = :role_id) "
        "AND EXISTS (SELECT 1 FROM user_roles WHERE user_id = :user_id AND role_id = :role_id) = :given",
        "stale",
        "'role'",
    ),
    "users.pk",
    "roles.pk",
    "user_roles.pk",
)
# A user and a permission, and what the one has of the other.
USER_AND_PERMISSION = Sql(
    """
    SELECT u.id AS user_id, p.id AS permission_id,
      (SELECT e.effect FROM user_permissions e WHERE e.user_id = u.id AND e.permission_id = p.id) AS effect
    FROM live_users u CROSS JOIN permissions p WHERE u.id = :user AND p.key = :permission
    """,
    "users.pk",
    "permissions_key_once",
    "user_permissions.pk",
)
PERMISSION_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :user_id) AND (SELECT effect FROM user_permissions "
        "WHERE user_id = :user_id AND permission_id = :permission_id) IS :effect",
        "stale",
        "'permission'",
    ),
    "users.pk",
    "user_permissions.pk",
)
# A role and a permission, and whether the one grants the other.
ROLE_AND_PERMISSION = Sql(
    """
    SELECT r.id AS role_id, p.id AS permission_id,
      EXISTS (SELECT 1 FROM role_permissions g WHERE g.role_id = r.id AND g.permission_id = p.id) AS granted
    FROM roles r CROSS JOIN permissions p WHERE r.name = :role AND p.key = :permission
    """,
    "roles_name_once",
    "permissions_key_once",
    "role_permissions.pk",
)
GRANT_AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM roles WHERE id = :role_id) AND EXISTS (SELECT 1 FROM role_permissions "
        "WHERE role_id = :role_id AND permission_id = :permission_id) = :granted",
        "stale",
        "'permission'",
    ),
    "roles.pk",
    "role_permissions.pk",
)
# :permissions = ids.
ADD_PERMISSIONS = Sql("""
    INSERT INTO role_permissions (role_id, permission_id, assigned_at, created_at, updated_at)
    SELECT :role_id, value, :now, :now, :now FROM json_each(:permissions)
""")

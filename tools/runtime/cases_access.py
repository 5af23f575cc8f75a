"""Events for rights and the audit log: a role is made, given and taken, and the trail of it is read.

Asked with the API key that may everything; `{user}` is a user without a role, whom the cases of people leave.
"""

from __future__ import annotations

from typing import Final

from tools.runtime.events import Ask, Case, Due

STAFF: Final = {"authorization": "Bearer {api_key}"}
ROLE: Final = {"name": "auditor", "permissions": ["audit:read"]}


def _list(function: str, target: str, wrong: str) -> Case:
    path = target.partition("?")[0]
    return Case(
        function, (Ask("GET", target, headers=STAFF),), 200, Ask("GET", f"{path}?{wrong}", headers=STAFF),
        (422, "invalid"),
    )  # fmt: skip


def _changed(function: str, method: str, target: str, missing: str, body: object = None) -> Case:
    """Answered 204; `missing` names what is not there."""
    return Case(
        function, (Ask(method, target, body, STAFF),), 204, Ask(method, missing, body, STAFF), (404, "not_found")
    )


CASES: Final[tuple[Case, ...]] = (
    _list("list_permissions", "/permissions", "limit=0"),
    Case("create_role", (Ask("POST", "/roles", ROLE, STAFF),), 201, Ask("POST", "/roles", ROLE, STAFF),
         (409, "already_exists")),
    _list("list_roles", "/roles?limit=2", "cursor=nonsense"),
    Case("update_role", (Ask("PATCH", "/roles/auditor", {"description": "Reads."}, STAFF),), 200,
         Ask("PATCH", "/roles/admin", {"name": "king"}, STAFF), (409, "role_protected")),
    _changed("add_role_permission", "PUT", "/roles/auditor/permissions/stock:read",
             "/roles/nobody/permissions/stock:read", {}),
    _changed("remove_role_permission", "DELETE", "/roles/auditor/permissions/stock:read",
             "/roles/auditor/permissions/stock:read"),
    _list("list_users", "/users?status=ACTIVE", "status=DELETED"),
    Case("view_user", (Ask("GET", "/users/{user}", headers=STAFF),), 200, Ask("GET", "/users/nobody", headers=STAFF),
         (404, "not_found")),
    Case("update_user", (Ask("PATCH", "/users/{user}", {"first_name": "Eleni"}, STAFF),), 200,
         Ask("PATCH", "/users/{user}", {"status": "DELETED"}, STAFF), (422, "invalid")),
    _changed("give_role", "PUT", "/users/{user}/roles/auditor", "/users/{user}/roles/nobody", {}),
    _changed("take_role", "DELETE", "/users/{user}/roles/auditor", "/users/{user}/roles/auditor"),
    _changed("grant_permission", "PUT", "/users/{user}/permissions/stock:read", "/users/nobody/permissions/stock:read",
             {"effect": "ALLOW"}),
    _changed("take_permission", "DELETE", "/users/{user}/permissions/stock:read",
             "/users/{user}/permissions/stock:read"),
    _changed("delete_role", "DELETE", "/roles/auditor", "/roles/auditor"),
    _list("list_audit_logs", "/audit-logs?entity=roles", "entity_id=lonely"),
    _list("list_security_events", "/security-events?type=role_given", "user=nobody"),
)  # fmt: skip
DUE: Final[tuple[Due, ...]] = (Due("seal_audit_logs", "", {"sealed": 1}),)

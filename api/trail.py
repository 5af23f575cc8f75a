"""Who did what: rows of the audit log and of the security events, for the batch that does it.

History cannot be changed, but a person can be forgotten: what a row says of one (an address, a name) stands in
`personal_values`, and the row itself holds its salted hash. The audit log is numbered in the batch, so that a missing
row leaves a gap, and chained afterwards (functions/jobs/seal_audit_logs.py).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from db.sql import Sql, Statement

if TYPE_CHECKING:
    from api.call import Call

MASK: Final = "***"
SECRETS: Final = frozenset(
    {"password", "password_hash", "token", "token_hash", "hash", "two_factor_secret", "card_token"}
)

COUNT_ROW = Sql(
    "UPDATE audit_counters SET count = count + 1, updated_at = :now WHERE name = 'audit_logs'", "audit_counters.pk"
)
ADD_ROW = Sql(
    """
    INSERT INTO audit_logs (id, user_id, actor_type, actor, action, entity, entity_id, before, after, ip_address,
      user_agent, request_id, sequence, content_hash, created_at)
    SELECT :id, :user_id, :actor_type, :actor, :action, :entity, :entity_id, :before, :after, :ip_address, :user_agent,
      :request_id, count, :content_hash, :created_at
    FROM audit_counters WHERE name = 'audit_logs'
    """,
    "audit_counters.pk",
)
ADD_EVENT = Sql("""
    INSERT INTO security_events (id, user_id, type, ip_address, user_agent, payload, created_at)
    VALUES (:id, :user_id, :type, :ip_address, :user_agent, :payload, :now)
""")
# :personal = a list of [name, user or null, salt, value as JSON].
# Of somebody who was erased meanwhile nothing is kept.
ADD_PERSONAL = Sql(
    """
    INSERT INTO personal_values (row_id, name, user_id, salt, value, created_at, updated_at)
    SELECT :row_id, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
      json_extract(value, '$[3]'), :now, :now
    FROM json_each(:personal)
    WHERE json_extract(value, '$[1]') IS NULL
      OR EXISTS (SELECT 1 FROM live_users u WHERE u.id = json_extract(value, '$[1]'))
    """,
    "users.pk",
)
HASHED: Final = (
    "id", "user_id", "actor_type", "actor", "action", "entity", "entity_id", "before", "after", "ip_address",
    "user_agent", "request_id", "created_at",
)  # fmt: skip
"""The columns of an audit row that its content_hash is made of, in this order."""


def content_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 in hex of what an audit row says."""
    return hashlib.sha256(_json([row[name] for name in HASHED]).encode()).hexdigest()


def link_hash(before: str, sequence: int, content: str) -> str:
    """The link of the row numbered `sequence`; `before` is the link of the one before, empty for the first."""
    return hashlib.sha256(f"{before}\n{sequence}\n{content}".encode()).hexdigest()


def salted_hash(salt: str, value: str) -> str:
    """SHA-256 in hex of a personal value (its JSON) with its salt."""
    return hashlib.sha256(f"{salt}\n{value}".encode()).hexdigest()


def audit_row(
    call: Call,
    action: str,
    entity: str,
    entity_id: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    personal: Collection[str] = (),
    person: str | None = None,
) -> list[Statement]:
    """The statements of one audit row. `before` and `after` hold what was changed, null where there was or is nothing;
    members named in `personal` are those of the user `person`, and erasable; secrets are masked."""
    apart = _Apart(call.id("audit"))
    actor = call.actor
    row = {
        "id": apart.row_id,
        "user_id": actor.user_id,
        "actor_type": actor.kind,
        "actor": actor.id,
        "action": action,
        "entity": entity,
        "entity_id": entity_id,
        "before": apart.document("/before", before, personal, person),
        "after": apart.document("/after", after, personal, person),
        "ip_address": apart.value("ip_address", call.asked.ip_address, actor.user_id),
        "user_agent": apart.value("user_agent", call.user_agent, actor.user_id),
        "request_id": call.asked.request_id,
        "created_at": call.now,
    }
    return [COUNT_ROW(now=call.now), ADD_ROW(**row, content_hash=content_hash(row)), *apart.statements(call.now)]


def changes(before: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`before` and `after` of an audit row: the members of `sent` that differ from the row `before`, as it was read.

    What was not read is null before; a list or object stands as JSON in the row."""
    found: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
    for name, value in sent.items():
        old = before.get(name)
        if isinstance(value, list | dict) and isinstance(old, str):
            old = json.loads(old)
        if old != value:
            found["before"][name], found["after"][name] = old, value
    return found


def security_event(call: Call, kind: str, user_id: str | None, **payload: Any) -> list[Statement]:
    """The statements of one security event: `kind` is what happened (`log_in_failed`), `payload` no personal data."""
    apart = _Apart(call.id("event"))
    # The address is that of who calls, which may be somebody else than whom it concerns.
    actor = call.actor
    caller = user_id if actor.kind == "anonymous" else actor.user_id
    event = ADD_EVENT(
        id=apart.row_id,
        user_id=user_id,
        type=kind,
        ip_address=apart.value("ip_address", call.asked.ip_address, caller),
        user_agent=apart.value("user_agent", call.user_agent, caller),
        payload=_json(payload),
        now=call.now,
    )
    return [event, *apart.statements(call.now)]


class _Apart:
    """The personal values of one row of history, to stand apart from it."""

    def __init__(self, row_id: str) -> None:
        self.row_id = row_id
        self._values: list[list[str | None]] = []

    def value(self, name: str, value: Any, person: str | None) -> str | None:
        """The salted hash of a value, which is kept apart."""
        if value is None:
            return None
        salt, text = secrets.token_hex(16), _json(value)
        self._values.append([name, person, salt, text])
        return salted_hash(salt, text)

    def document(
        self, pointer: str, members: Mapping[str, Any] | None, personal: Collection[str], person: str | None
    ) -> str | None:
        """JSON of `members`, personal ones as their hashes (`{"sha256": …}`), secrets masked."""
        if members is None:
            return None
        found: dict[str, Any] = {}
        for name, value in members.items():
            if name in SECRETS and value is not None:
                found[name] = MASK
            elif name in personal and value is not None:
                found[name] = {"sha256": self.value(f"{pointer}/{name}", value, person)}
            else:
                found[name] = value
        return _json(found)

    def statements(self, now: str) -> list[Statement]:
        if not self._values:
            return []
        return [ADD_PERSONAL(row_id=self.row_id, personal=_json(self._values), now=now)]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

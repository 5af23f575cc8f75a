"""The audit log as rows."""

import json
from typing import Any

from tests.shop import Shop

COLUMNS = "action, entity, entity_id, before, after, actor_type, actor, user_id, request_id, sequence"


def trail(shop: Shop) -> list[dict[str, Any]]:
    """Every row of the audit log, by its number."""
    names = COLUMNS.split(", ")
    found = [dict(zip(names, row, strict=True)) for row in shop.rows(f"SELECT {COLUMNS} FROM audit_logs ORDER BY 10")]
    assert [row["sequence"] for row in found] == list(range(1, len(found) + 1))
    assert shop.one("SELECT count FROM audit_counters") == len(found)
    for row in found:
        row["before"], row["after"] = (json.loads(row[name] or "null") for name in ("before", "after"))
    return found


def said(shop: Shop) -> list[tuple[Any, ...]]:
    """Action, entity, before and after of each row."""
    return [(row["action"], row["entity"], row["before"], row["after"]) for row in trail(shop)]

"""GET /audit-logs: who did what, newest first, by what it was done to, by who did it and by time. Changes nothing.

Staff with `audit:read`. Personal values stand in their places as long as they have not been erased; afterwards a column
is null, and a member of `before` or `after` is the salted hash that the row keeps (`{"sha256": …}`).
"""

import json
from typing import Any

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.problems import invalid
from api.shapes import Page, PageRequest, Shape, Time, id_of
from db.helper import Row
from db.sql import Sql

BEFORE_ALL = ""
AFTER_ALL = "~"


class ListAuditLogsRequest(PageRequest):
    entity: str | None = Field(
        default=None, max_length=100, description="Done to one of these, by the table's name.", examples=["products"]
    )
    entity_id: str | None = Field(default=None, max_length=200, description="Done to this one. Needs `entity`.")
    actor: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^[\w:.-]+$",
        description="Done by this one: the id of a user or an API key, a job's name, or `cli`.",
    )
    since: Time | None = Field(default=None, description="Done at this time or later.")
    until: Time | None = Field(default=None, description="Done before this time.")


class AuditLog(Shape):
    id: id_of("audit")  # type: ignore[valid-type]
    sequence: int = Field(description="Its number in the log, without a gap.")
    actor_type: str = Field(examples=["user", "api_key"])
    actor: str
    action: str = Field(examples=["products:update"])
    entity: str
    entity_id: str
    before: dict[str, Any] | None = Field(description="What was changed, as it was.")
    after: dict[str, Any] | None = Field(description="What was changed, as it is now. Secrets are masked.")
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    created_at: Time


def _list(condition: str, index: str) -> Sql:
    """The page before (:until, :position), newest first, by one of the indexes that end in `created_at`."""
    return Sql(
        f"""
        SELECT l.id, l.sequence, l.actor_type, l.actor, l.action, l.entity, l.entity_id, l.before, l.after,
          l.request_id, l.created_at, l.rowid AS position,
          (SELECT json_group_object(p.name, json(p.value)) FROM personal_values p WHERE p.row_id = l.id) AS personal
        FROM audit_logs l
        WHERE {condition} l.created_at >= :since AND (l.created_at, l.rowid) < (:until, :position)
          AND +l.sequence IS NOT NULL
        ORDER BY l.created_at DESC, l.rowid DESC LIMIT :rows
        """,
        index,
        "personal_values.pk",
    )


LOGS = _list("", "idx_logs_created")
LOGS_OF_ENTITY = _list("l.entity = :entity AND", "audit_logs_by_kind")
LOGS_OF_ONE = _list(
    "l.entity = :entity AND l.entity_id = :entity_id AND (:actor IS NULL OR +l.actor = :actor) AND",
    "audit_logs_by_entity",
)
LOGS_OF_ACTOR = _list("l.actor = :actor AND (:entity IS NULL OR +l.entity = :entity) AND", "audit_logs_by_actor")


@endpoint("GET /audit-logs", permission="audit:read")
async def list_audit_logs(request: ListAuditLogsRequest, call: Call) -> Answer[Page[AuditLog]]:
    await call.check_times(since=request.since, until=request.until)
    if request.entity_id is not None and request.entity is None:
        await call.judged()
        raise invalid("/entity", "missing")
    # A position of 0 stands before every row of that millisecond: `until` itself is not in the list.
    until, position = call.after(request, "newest") or (request.until or AFTER_ALL, 0)
    window = {"since": request.since or BEFORE_ALL, "until": until, "position": position, "rows": request.limit + 1}
    entity, actor = {"entity": request.entity}, {"actor": request.actor}
    if request.entity_id is not None:
        statement = LOGS_OF_ONE(**entity, **actor, entity_id=request.entity_id, **window)
    elif request.actor is not None:
        statement = LOGS_OF_ACTOR(**entity, **actor, **window)
    elif request.entity is not None:
        statement = LOGS_OF_ENTITY(**entity, **window)
    else:
        statement = LOGS(**window)
    [rows] = await call.read(statement)
    return call.page(request, [{**row, "item": _told(row)} for row in rows], ("created_at", "position"), "newest")


def _told(row: Row) -> str:
    """The row's JSON, its personal values back in their places."""
    told = {name: row[name] for name in AuditLog.model_fields if name in row}
    told |= {name: json.loads(row[name]) if row[name] else None for name in ("before", "after")}
    told |= {"ip_address": None, "user_agent": None}
    for name, value in json.loads(row["personal"]).items():
        _, _, pointer = name.partition("/")
        column, _, member = pointer.partition("/")
        if not column:
            told[name] = value
        elif told.get(column):
            told[column][member] = value
    return dumps(told)


handler = Mangum(list_audit_logs, lifespan="off", text_mime_types=TEXT)

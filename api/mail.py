"""Mail to people: a row of the outbox in the batch of what it tells, sent afterwards (functions/jobs/send_mail.py)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal, get_args

from api.problems import speak
from db.sql import Sql, Statement

if TYPE_CHECKING:
    from api.call import Call

Kind = Literal["verify_email", "already_registered", "reset_password", "password_changed", "change_email"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

ADD_MAIL = Sql("""
    INSERT INTO outbox (id, topic, entity, entity_id, payload, due_at, created_at, updated_at)
    VALUES (:id, :topic, 'users', :user_id, :payload, :now, :now, :now)
""")
TOPIC: Final = "mail."


def mail(call: Call, kind: Kind, user_id: str, to: str, **facts: str) -> Statement:
    """The row for a mail of `kind` to the address `to`, in the language that the caller reads. `facts` fill its text
    (`token`: of the link); they are wiped from the row once it is sent."""
    language = speak(call.header("accept-language") or "")
    payload = json.dumps({"to": to, "language": language, **facts}, ensure_ascii=False, separators=(",", ":"))
    return ADD_MAIL(id=call.id("outbox"), topic=TOPIC + kind, user_id=user_id, payload=payload, now=call.now)

"""Every minute: send the mail that waits in the outbox, or change nothing.

Rows are claimed first, by moving their due time on in a batch that finds them as read: of two runs at once each sends
what it has claimed. A run that dies leaves them due again after the claim, so mail is sent at least once, and always
with the same Message-ID. What a server does not take comes again, later each time; what it never will is given up. Of a
mail that is done nothing is kept but that it was. Without SMTP_URL mail waits.
"""

import json
from typing import Any, Final

from api import clock, telemetry
from api.call import dumps
from api.job import JobCall, job
from api.mail import KINDS, TOPIC
from db.helper import Row
from db.sql import Sql, guard
from providers.mail import Outcome, compose, deliver

ROWS: Final = 10
CLAIM_SECONDS: Final = 300
"""Longer than a run can take over what it has claimed."""
ATTEMPTS: Final = 10
PAUSE_SECONDS_MAX: Final = 3_600
NEVER: Final = "9999-12-31T23:59:59.999Z"

DUE = Sql(
    """
    SELECT o.id, o.topic, o.payload, o.attempts FROM json_each(:topics) t CROSS JOIN outbox o
    WHERE o.topic = t.value AND o.sent_at IS NULL AND o.due_at <= :now LIMIT :rows
    """,
    "outbox_by_topic",
)
# :ids = [row, …].
STILL_DUE = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM json_each(:ids) l LEFT JOIN outbox o ON o.id = l.value "
        "WHERE o.sent_at IS NOT NULL OR o.due_at IS NULL OR o.due_at > :now)",
        "stale",
        "'outbox'",
    ),
    "outbox.pk",
)
CLAIM = Sql(
    """
    UPDATE outbox SET due_at = :claimed_until, attempts = attempts + 1, updated_at = :now
    FROM json_each(:ids) l WHERE outbox.id = l.value
    """,
    "outbox.pk",
)
# :done = [[row, due again, sent at or null, whether its payload stays], …].
SETTLE = Sql(
    """
    UPDATE outbox SET due_at = l.value ->> 1, sent_at = l.value ->> 2,
      payload = CASE WHEN l.value ->> 3 THEN payload ELSE '{}' END, updated_at = :now
    FROM json_each(:done) l WHERE outbox.id = l.value ->> 0 AND sent_at IS NULL
    """,
    "outbox.pk",
)


@job("rate(1 minute)")
async def send_mail(call: JobCall) -> dict[str, int]:
    if not call.settings.smtp_url:
        return {"sent": 0, "postponed": 0, "given_up": 0}
    topics = dumps([TOPIC + kind for kind in KINDS])
    [rows] = await call.read(DUE(topics=topics, now=call.now, rows=ROWS))
    if not rows:
        return {"sent": 0, "postponed": 0, "given_up": 0}
    ids = dumps([row["id"] for row in rows])
    until = clock.stamp(call.milliseconds + CLAIM_SECONDS * 1000)
    await call.batch([STILL_DUE(ids=ids, now=call.now), CLAIM(ids=ids, claimed_until=until, now=call.now)])
    outcomes = await _tried(call, rows)
    done = [_settled(call, row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    await call.batch([SETTLE(done=dumps(done), now=call.now)])
    call.last = rows[-1] if len(rows) == ROWS else None
    sent = sum(outcome.error is None for outcome in outcomes)
    postponed = sum(kept for *_, kept in done)
    return {"sent": sent, "postponed": postponed, "given_up": len(rows) - sent - postponed}


async def _tried(call: JobCall, rows: list[Row]) -> list[Outcome]:
    """What became of each row's mail; one that cannot be written is no reason to keep the others."""
    known, messages, outcomes = call.settings, [], {}
    for row in rows:
        kind, payload = row["topic"].removeprefix(TOPIC), json.loads(row["payload"])
        try:
            message = compose(row["id"], kind, payload, sender=known.mail_from, shop_url=known.shop_url)
            messages.append((row["id"], message))
        except (ValueError, KeyError) as error:
            outcomes[row["id"]] = Outcome(type(error).__name__, final=True)
    told = await deliver(known.smtp_url, [message for _, message in messages])
    outcomes |= {row_id: outcome for (row_id, _), outcome in zip(messages, told, strict=True)}
    return [outcomes[row["id"]] for row in rows]


def _settled(call: JobCall, row: Row, outcome: Outcome) -> list[Any]:
    """The row as SETTLE takes it."""
    if outcome.error is None:
        return [row["id"], call.now, call.now, False]
    tries = row["attempts"] + 1
    if outcome.final or tries >= ATTEMPTS:
        facts = {"job": call.name, "row": row["id"], "error": outcome.error, "attempts": tries}
        telemetry.log.error("mail given up", extra={"facts": facts})
        return [row["id"], NEVER, None, False]
    pause = min(60 * 2 ** row["attempts"], PAUSE_SECONDS_MAX)
    return [row["id"], clock.stamp(call.milliseconds + pause * 1000), None, True]


handler = send_mail.handler

"""POST /events: remember what happened in the shop, one event or up to a hundred, all of them or none.

Anyone may. Events are only appended, so no two callers are in each other's way; each insert marks its day as stale in
the same batch (a trigger), and the roll-up counts that day again. Whose they are is kept where somebody has logged in;
otherwise nothing about the caller, beside what the body says.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from mangum import Mangum
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.auth import PUBLIC
from api.call import Answer, Call, dumps
from api.clock import stamp
from api.endpoint import TEXT, endpoint
from api.problems import invalid
from api.shapes import Shape, Time
from db.sql import Sql
from domain.events import PROPERTIES_BYTES_MAX, is_time, properties_fit, window

EVENTS_MAX: Final = 100


def _real(timestamp: str) -> str:
    if not is_time(timestamp):
        raise PydanticCustomError("time", "no such time")
    return timestamp


def _fitting(properties: dict[str, Any]) -> dict[str, Any]:
    if not properties_fit(properties):
        raise PydanticCustomError("properties", "too large", {"bytes": PROPERTIES_BYTES_MAX})
    return properties


EventType = Annotated[
    str, Field(pattern=r"^[a-z0-9_.]{1,100}$", description="What happened.", examples=["pageview", "cart.added"])
]
EventTime = Annotated[Time, AfterValidator(_real)]
SessionId = Annotated[str, Field(min_length=1, max_length=100, description="Opaque; tells visits apart.")]
Properties = Annotated[
    dict[str, Any],
    AfterValidator(_fitting),
    Field(description="Free JSON object of at most 4096 bytes, without personal data.", max_length=100),
]


class Event(Shape):
    event_type: EventType
    timestamp: EventTime | None = Field(default=None, description="When it happened; now, if it is not said.")
    session_id: SessionId | None = None
    properties: Properties = Field(default_factory=dict)


class RecordEventsRequest(Shape):
    """One event, or `events`: exactly one of them."""

    event_type: EventType | None = None
    timestamp: EventTime | None = Field(default=None, description="When it happened; now, if it is not said.")
    session_id: SessionId | None = None
    properties: Properties = Field(default_factory=dict)
    events: list[Event] | None = Field(default=None, min_length=1, max_length=EVENTS_MAX)

    @model_validator(mode="after")
    def one_or_many(self) -> "RecordEventsRequest":
        single = self.model_fields_set - {"events"}
        if (self.events is None) == (self.event_type is None) or (self.events is not None and single):
            raise PydanticCustomError("event_or_events", "exactly one of them")
        return self


class Recorded(Shape):
    recorded: int = Field(description="Events kept.", examples=[1])


RECORD = Sql("""
    INSERT INTO analytics_events (id, event_type, timestamp, user_id, session_id, properties, created_at)
    SELECT value ->> 'id', value ->> 'event_type', value ->> 'timestamp', :user_id, value ->> 'session_id',
      value -> 'properties', :now
    FROM json_each(:events)
""")


@endpoint("POST /events", status=201, permission=PUBLIC, idempotency="optional")
async def record_events(request: RecordEventsRequest, call: Call) -> Answer[Recorded]:
    earliest, latest = map(stamp, window(call.milliseconds))
    sent: Sequence[Event | RecordEventsRequest] = request.events or [request]
    events = []
    for index, (event, event_id) in enumerate(zip(sent, call.ids("event", len(sent)), strict=True)):
        timestamp = event.timestamp or call.now
        if not earliest <= timestamp <= latest:
            pointer = "/timestamp" if request.events is None else f"/events/{index}/timestamp"
            raise invalid(pointer, "time_range", earliest=earliest, latest=latest)
        events.append(
            {
                "id": event_id,
                "event_type": event.event_type,
                "timestamp": timestamp,
                "session_id": event.session_id,
                "properties": event.properties,
            }
        )
    await call.judged()  # whose session it is, and that it still is one
    record = RECORD(events=dumps(events), user_id=call.actor.user_id, now=call.now)
    return await call.commit([record], Answer({"recorded": len(events)}))


handler = Mangum(record_events, lifespan="off", text_mime_types=TEXT)

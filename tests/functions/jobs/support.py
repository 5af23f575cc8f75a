"""Jobs as the schedule runs them: their Lambda handler, with an event that says nothing."""

from importlib import import_module
from typing import Any

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def run(name: str, context: Any = None) -> dict[str, Any]:
    answer: dict[str, Any] = import_module(f"functions.jobs.{name}").handler(EVENT, context)
    assert answer["job"] == name
    return answer

"""The metrics of CloudWatch: the one list of their names, and a line for each request in the Embedded Metric Format.

On Lambda nobody can ask a process for its counters, so each request and each run of a job writes what it counted as one
JSON line on standard output, of which CloudWatch makes metrics. They have no dimension: each of its values would be a
metric of its own, and be paid for. Which function and which constraint it was stands in the line, for whoever searches.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, Final

from pydantic_core import to_json

from api.clock import milliseconds_now
from db.helper import Trip

METRICS: Final = {
    "Requests": "Count",
    "ServerErrors": "Count",
    "Latency": "Milliseconds",
    "JobRuns": "Count",
    "JobTime": "Milliseconds",
    "JobRowsFailed": "Count",
    "DatabaseTrips": "Count",
    "DatabaseTime": "Milliseconds",
    "SlowQueries": "Count",
    "VerySlowQueries": "Count",
    "ConstraintViolations": "Count",
    "HistoryAttempts": "Count",
    "GuardRefusals": "Count",
    "QueryTimeouts": "Count",
    "UnknownOutcomes": "Count",
    "DatabaseBusy": "Count",
    "DatabaseFailures": "Count",
    "SoftDeletedRows": "Count",
    "SoftDeletedLastDay": "Count",
}
"""Every metric and its unit. An alarm on another name is refused (`cli/alarm_checks.py`); docs/observability.md tells
what each means."""

ERROR_FAMILIES: Final = {
    "ConstraintViolations": "tallystick_constraint_violations_total",
    "HistoryAttempts": "tallystick_history_attempts_total",
    "GuardRefusals": "tallystick_guard_refusals_total",
    "QueryTimeouts": "tallystick_query_timeouts_total",
    "UnknownOutcomes": "tallystick_unknown_outcomes_total",
    "DatabaseBusy": "tallystick_database_busy_total",
    "DatabaseFailures": "tallystick_database_failures_total",
}
"""The metrics of the database's errors, each with its Prometheus family: an error is counted by exactly one."""

_OF_ERROR: Final = {
    "Refused": "GuardRefusals",
    "TimedOut": "QueryTimeouts",
    "Unknown": "UnknownOutcomes",
    "Busy": "DatabaseBusy",
}


def metric_of(error: str, what: str) -> str:
    """The metric that counts an error; `error` and `what` as a `Trip` has them."""
    if error == "Conflict":
        is_history = what.startswith("trigger ") and what.endswith("_append_only")
        return "HistoryAttempts" if is_history else "ConstraintViolations"
    return _OF_ERROR.get(error, "DatabaseFailures")


class Embedded:
    """What was counted since the line before: a Lambda serves one request at a time, so that is the request's."""

    __slots__ = ("_errors", "_more", "_namespace", "_values")

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._values: dict[str, float] = {}
        self._errors: dict[str, int] = {}
        self._more: dict[str, Any] = {}

    def add(self, metric: str, amount: float = 1) -> None:
        """Count something; what is counted as nothing takes no place in the line."""
        if amount:
            self._values[metric] = self._values.get(metric, 0) + amount

    def gauge(self, metric: str, value: int, **details: Any) -> None:
        """Say how many there are, which may be none. `details` stand beside it in the line, and are no metrics."""
        self._values[metric] = value
        self._more.update(details)

    def trip(self, trip: Trip, *, slow: bool, very_slow: bool) -> None:
        """Count a round trip to the database."""
        self.add("DatabaseTrips")
        self.add("DatabaseTime", trip.seconds * 1000)
        self.add("SlowQueries", slow)
        self.add("VerySlowQueries", very_slow)
        if trip.error:
            self.add(metric_of(trip.error, trip.what))
            name = f"{trip.error} {trip.what}".strip()
            self._errors[name] = self._errors.get(name, 0) + 1

    def write(self, function: str) -> None:
        """Write the line of `function` and begin the next; nothing where nothing was counted."""
        if not self._values:
            return
        values = {name: round(value, 3) for name, value in self._values.items()}
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [[]],
            "Metrics": [{"Name": name, "Unit": METRICS[name]} for name in values],
        }
        line = {
            "_aws": {"Timestamp": milliseconds_now(), "CloudWatchMetrics": [directive]},
            "function": function,
            **self._more,
            **({"database_errors": self._errors} if self._errors else {}),
            **values,
        }
        self._values, self._errors, self._more = {}, {}, {}
        # The answer is made and kept: that nobody takes the line must not turn it into an error.
        with suppress(OSError, ValueError):
            sys.stdout.write(to_json(line).decode() + "\n")
            sys.stdout.flush()

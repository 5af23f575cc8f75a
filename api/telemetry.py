"""Logs as JSON lines, counters as Prometheus text, and on Lambda as CloudWatch metrics: what was asked, how long it
took, what the database did.

No personal value and no secret: a log line holds names, codes, counts and durations, never a body, a query value or a
header.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter, defaultdict
from typing import Any, Final

from api.clock import milliseconds_now, stamp
from api.metrics import ERROR_FAMILIES, Embedded, metric_of
from db.helper import Trip, observers
from db.sql import Sql

log = logging.getLogger("tallystick")

REQUESTS: Final[Counter[tuple[str, int]]] = Counter()
REQUEST_SECONDS: Final[defaultdict[str, float]] = defaultdict(float)
TRIPS: Final[Counter[tuple[str, str]]] = Counter()
TRIP_SECONDS: Final[defaultdict[tuple[str, str], float]] = defaultdict(float)
SLOW: Final[Counter[str]] = Counter()
VERY_SLOW: Final[Counter[str]] = Counter()
ERRORS: Final[Counter[tuple[str, str]]] = Counter()
ROWS_FAILED: Final[Counter[str]] = Counter()
SOFT_DELETED: Final[dict[str, int]] = {}
SOFT_DELETED_LAST_DAY: Final[dict[str, int]] = {}
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BUCKETED: Final[Counter[tuple[str, float]]] = Counter()

VERY_SLOW_SECONDS: Final = 1.0
_slow_seconds = 0.2
_namespace = ""
_embedded: Embedded | None = None
"""Collects the CloudWatch metrics; None where nobody reads them."""


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": stamp(milliseconds_now()),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # The type and the place: an exception's text may quote what a person wrote.
            line["error"] = record.exc_info[0].__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str, slow_query_ms: int, namespace: str = "") -> None:
    """Write JSON lines of `level` and above to standard error; flag statements slower than `slow_query_ms`.

    On Lambda metrics go to standard output, into `namespace`; none without one.
    """
    global _slow_seconds, _namespace, _embedded
    if (
        log.handlers
        and _slow_seconds == slow_query_ms / 1000
        and log.level == logging.getLevelName(level.upper())
        and _namespace == namespace
    ):
        return
    if _namespace != namespace:
        _namespace = namespace
        _embedded = Embedded(namespace) if namespace and "AWS_LAMBDA_FUNCTION_NAME" in os.environ else None
    _slow_seconds = slow_query_ms / 1000
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Lines())
        log.addHandler(handler)
        log.propagate = False
    log.setLevel(level.upper())
    # Their lines quote what is executed, values and all, and paths: not even where everything else is at DEBUG.
    for name in ("aiosqlite", "mangum"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if observe_trip not in observers:
        observers.append(observe_trip)


def observe_trip(trip: Trip) -> None:
    """Count a round trip to the database; flag a slow one."""
    TRIPS[trip.engine, trip.kind] += 1
    TRIP_SECONDS[trip.engine, trip.kind] += trip.seconds
    if trip.error:
        ERRORS[trip.error, trip.what] += 1
    slow, very_slow = trip.seconds > _slow_seconds, trip.seconds > VERY_SLOW_SECONDS
    if very_slow:
        VERY_SLOW[trip.kind] += 1
    if _embedded is not None:
        _embedded.trip(trip, slow=slow, very_slow=very_slow)
    if slow:
        SLOW[trip.kind] += 1
        facts = {
            "kind": trip.kind,
            "milliseconds": round(trip.seconds * 1000, 1),
            "statements": trip.statements,
            "slowest": name_of(trip.slowest),
            "slowest_milliseconds": round(trip.slowest_seconds * 1000, 1),
        }
        log.warning("slow query", extra={"facts": facts})
    elif log.isEnabledFor(logging.DEBUG):
        facts = {
            "kind": trip.kind,
            "milliseconds": round(trip.seconds * 1000, 2),
            "statements": trip.statements,
        }
        log.debug("query", extra={"facts": facts})


def observe_request(name: str, status: int, seconds: float, facts: dict[str, Any]) -> None:
    """Count a request; log it at level info."""
    _count(name, status, seconds, facts)
    if _embedded is not None:
        _embedded.add("Requests")
        _embedded.add("Latency", seconds * 1000)
        _embedded.add("ServerErrors", status >= 500)
        _embedded.write(name)


def observe_job(name: str, status: int, seconds: float, facts: dict[str, Any]) -> None:
    """Count a run of a job and the rows that it passed over (`failed`); log it at level info."""
    _count(name, status, seconds, facts)
    ROWS_FAILED[name] += facts["failed"]
    if _embedded is not None:
        _embedded.add("JobRuns")
        _embedded.add("JobTime", seconds * 1000)
        _embedded.add("JobRowsFailed", facts["failed"])
        _embedded.write(name)


def observe_soft_deletes(rows: dict[str, int], last_day: dict[str, int]) -> None:
    """Keep how many rows of each table are deleted softly, in all and since yesterday."""
    SOFT_DELETED.update(rows)
    SOFT_DELETED_LAST_DAY.update(last_day)
    if _embedded is not None:
        _embedded.gauge("SoftDeletedRows", sum(rows.values()), soft_deleted=rows)
        _embedded.gauge("SoftDeletedLastDay", sum(last_day.values()), soft_deleted_last_day=last_day)


def _count(name: str, status: int, seconds: float, facts: dict[str, Any]) -> None:
    REQUESTS[name, status] += 1
    REQUEST_SECONDS[name] += seconds
    for bucket in BUCKETS:
        if seconds <= bucket:
            BUCKETED[name, bucket] += 1
            break
    if log.isEnabledFor(logging.INFO):
        log.info(
            "request",
            extra={"facts": {"endpoint": name, "status": status, "milliseconds": round(seconds * 1000, 2), **facts}},
        )


def name_of(statement: Sql | None) -> str | None:
    """`module.NAME` of a statement: found by looking, because only slow ones are asked."""
    if statement is None:
        return None
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(("db.", "functions.", "api.")):
            for name, value in vars(module).items():
                held = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
                if any(one is statement for one in held):
                    return f"{module_name}.{name}"
    return repr(statement)


def prometheus() -> str:
    """All counters in the Prometheus text format."""
    lines = ["# TYPE tallystick_requests_total counter"]
    for (name, status), count in sorted(REQUESTS.items()):
        lines.append(f'tallystick_requests_total{{endpoint="{name}",status="{status}"}} {count}')
    lines.append("# TYPE tallystick_request_seconds histogram")
    for name in sorted(REQUEST_SECONDS):
        below = 0
        for bucket in BUCKETS:
            below += BUCKETED[name, bucket]
            lines.append(f'tallystick_request_seconds_bucket{{endpoint="{name}",le="{bucket}"}} {below}')
        total = sum(count for (other, _), count in REQUESTS.items() if other == name)
        lines.append(f'tallystick_request_seconds_bucket{{endpoint="{name}",le="+Inf"}} {total}')
        lines.append(f'tallystick_request_seconds_sum{{endpoint="{name}"}} {REQUEST_SECONDS[name]:.6f}')
        lines.append(f'tallystick_request_seconds_count{{endpoint="{name}"}} {total}')
    lines.append("# TYPE tallystick_database_trips_total counter")
    for (engine, kind), count in sorted(TRIPS.items()):
        lines.append(f'tallystick_database_trips_total{{engine="{engine}",kind="{kind}"}} {count}')
    lines.append("# TYPE tallystick_database_seconds_total counter")
    for (engine, kind), seconds in sorted(TRIP_SECONDS.items()):
        lines.append(f'tallystick_database_seconds_total{{engine="{engine}",kind="{kind}"}} {seconds:.6f}')
    lines.append("# TYPE tallystick_slow_queries_total counter")
    for kind, count in sorted(SLOW.items()):
        lines.append(f'tallystick_slow_queries_total{{kind="{kind}"}} {count}')
    lines.append("# TYPE tallystick_very_slow_queries_total counter")
    for kind, count in sorted(VERY_SLOW.items()):
        lines.append(f'tallystick_very_slow_queries_total{{kind="{kind}"}} {count}')
    lines.append("# TYPE tallystick_database_errors_total counter")
    for (error, what), count in sorted(ERRORS.items()):
        lines.append(f'tallystick_database_errors_total{{error="{error}",what="{what}"}} {count}')
    # These stand at 0 from the start: a series that begins with its first error has no rise to alarm anybody.
    for metric, family in ERROR_FAMILIES.items():
        total = sum(count for (error, what), count in ERRORS.items() if metric_of(error, what) == metric)
        lines += [f"# TYPE {family} counter", f"{family} {total}"]
    family = "tallystick_job_rows_failed_total"
    lines += [f"# TYPE {family} counter"]
    lines += [f'{family}{{job="{name}"}} {count}' for name, count in sorted(ROWS_FAILED.items())]
    for family, gauges in (
        ("tallystick_soft_deleted_rows", SOFT_DELETED),
        ("tallystick_soft_deleted_last_day", SOFT_DELETED_LAST_DAY),
    ):
        lines.append(f"# TYPE {family} gauge")
        lines += [f'{family}{{table="{table}"}} {count}' for table, count in sorted(gauges.items())]
    return "\n".join(lines) + "\n"

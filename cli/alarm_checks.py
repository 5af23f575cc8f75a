"""What cfn-lint lets pass in the alarms of template.yaml: an alarm that can never go off, tells nobody, or is missing.

CloudWatch takes an alarm on any name; one on a metric that no code writes is silent for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from api.metrics import METRICS

WATCHED: Final = (
    "ConstraintViolations",
    "HistoryAttempts",
    "JobRowsFailed",
    "QueryTimeouts",
    "ServerErrors",
    "SlowQueries",
    "SoftDeletedLastDay",
    "VerySlowQueries",
)
"""The metrics that have an alarm."""
# Of Amazon's own metrics those that we watch, and the resource that each one's dimension names.
AMAZON: Final = {
    ("AWS/ApiGateway", "5xx"): ("ApiId", "AWS::Serverless::HttpApi"),
    ("AWS/Lambda", "Errors"): ("FunctionName", "AWS::Serverless::Function"),
}
HOUR_SECONDS: Final = 3_600
DAY_SECONDS: Final = 86_400
DAYS_MAX: Final = 7

Json = dict[str, Any]


def alarm_problems(template: Json) -> Iterable[str]:
    """What is wrong with the alarms, one sentence each."""
    watched: set[str] = set()
    for name, resource in template["Resources"].items():
        if resource.get("Type") == "AWS::CloudWatch::Alarm":
            alarm = resource.get("Properties", {})
            for problem in (*_told(alarm), *_range(alarm)):
                yield f"{name}: {problem}"
            for stat in stats_of(alarm):
                watched.add(_watches(stat))
                for problem in _metric(stat, template):
                    yield f"{name}: {problem}"
    yield from (f"no alarm watches {name}" for name in WATCHED if name not in watched)
    for name, resource in template["Resources"].items():
        events = resource.get("Properties", {}).get("Events", {})
        if any(event.get("Type") == "Schedule" for event in events.values()) and name not in watched:
            yield f"{name}: no alarm watches whether this job fails"


def stats_of(alarm: Json) -> list[Json]:
    """The metrics of an alarm, or of its expression: Namespace, MetricName, Dimensions, Unit, Period of each."""
    queries = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    return [{**one, **one.get("Metric", {})} for one in queries] or [alarm]


def _watches(stat: Json) -> str:
    """The metric's name, of a function's Errors the function's."""
    if stat.get("Namespace") != "AWS/Lambda" or stat.get("MetricName") != "Errors":
        return str(stat.get("MetricName"))
    return next((name for _, name in _dimensions(stat)), "")


def _dimensions(stat: Json) -> list[tuple[str, str]]:
    """Each dimension and the resource that it refers to, empty for none."""
    found = []
    for one in stat.get("Dimensions", []):
        value = one.get("Value")
        found.append((str(one.get("Name")), str(value.get("Ref", "")) if isinstance(value, dict) else ""))
    return found


def _metric(stat: Json, template: Json) -> Iterable[str]:
    space, metric, dimensions = stat.get("Namespace"), str(stat.get("MetricName")), _dimensions(stat)
    variables = template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {})
    if isinstance(space, str) and (space, metric) in AMAZON:
        dimension, kind = AMAZON[space, metric]
        resources = template["Resources"]
        if [name for name, _ in dimensions] != [dimension]:
            yield f"{space} {metric} is told by {dimension} alone"
        elif resources.get(dimensions[0][1], {}).get("Type") != kind:
            yield f"{dimension} refers to {dimensions[0][1]!r}, which is no {kind}"
        return
    if space != variables.get("METRICS_NAMESPACE"):
        yield f"Namespace {space!r} with {metric}: expected METRICS_NAMESPACE of the functions, or a metric of Amazon's"
    elif metric not in METRICS:
        yield f"MetricName {metric!r}, which no code writes; those in api/metrics.py are written"
    else:
        if dimensions:
            yield f"{metric} is written without a dimension, so none with {dimensions[0][0]} exists"
        if stat.get("Unit", METRICS[metric]) != METRICS[metric]:
            yield f"{metric} is written in {METRICS[metric]}, so none in {stat['Unit']} exists"


def _told(alarm: Json) -> Iterable[str]:
    if len(str(alarm.get("AlarmDescription", "")).split()) < 10:
        yield "AlarmDescription does not say what to do"
    for name in ("AlarmActions", "OKActions"):
        if not alarm.get(name):
            yield f"no {name}: nobody would hear of it"
    if alarm.get("TreatMissingData") != "notBreaching":
        yield f"TreatMissingData {alarm.get('TreatMissingData')!r}, expected 'notBreaching': what is 0 is not written"


def _range(alarm: Json) -> Iterable[str]:
    """CloudWatch looks back a day at most, with periods of an hour or more seven."""
    for stat in stats_of(alarm):
        period, periods = stat.get("Period", 0), alarm.get("EvaluationPeriods", 0)
        most = DAY_SECONDS if period < HOUR_SECONDS else DAYS_MAX * DAY_SECONDS
        if not 0 < period * periods <= most or period % 60:
            yield f"{periods} periods of {period} s, expected whole minutes, {most} s in all at most"

"""The rules of the CloudWatch Embedded Metric Format, as its specification and its JSON schema word them."""

from __future__ import annotations

import json
from typing import Any, Final

BYTES_MAX: Final = 262_144
"""Of a log event; the specification says 1 MB by now, and what fits the older limit fits both."""
METRICS_MAX: Final = 100
VALUES_MAX: Final = 100
DIMENSIONS_MAX: Final = 30
NAME_MAX: Final = 1_024
DIMENSION_NAME_MAX: Final = 250
_SIZES: Final = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
_BITS: Final = tuple(size.replace("Bytes", "Bits").replace("bytes", "bits") for size in _SIZES)
UNITS: Final = {
    "Seconds", "Microseconds", "Milliseconds", *_SIZES, *_BITS, "Percent", "Count",
    *(f"{one}/Second" for one in (*_SIZES, *_BITS, "Count")), "None",
}  # fmt: skip
# A time stamp may lie two weeks back and two hours ahead; a test's clock is moved, so only its unit is looked at.
MILLISECONDS: Final = range(10**12, 10**13)


def broken_rules(line: str) -> list[str]:
    """Which rules a line of standard output breaks; what breaks one is no metric, and nobody is told."""
    try:
        root = json.loads(line)
    except ValueError:
        return ["the line is one JSON object, with nothing before or behind it"]
    if not isinstance(root, dict) or not isinstance(root.get("_aws"), dict):
        return ["the root is an object with the metadata object _aws"]
    wrong = [] if len(line.encode()) <= BYTES_MAX else ["a log event has at most 256 KB"]
    if line.count("\n"):
        wrong.append("a log event is one line")
    metadata = root["_aws"]
    if metadata.keys() != {"Timestamp", "CloudWatchMetrics"}:
        wrong.append("_aws has Timestamp and CloudWatchMetrics, and nothing else")
    stamp = metadata.get("Timestamp")
    if type(stamp) is not int or stamp not in MILLISECONDS:
        wrong.append("Timestamp is a whole number of milliseconds since 1970")
    for directive in metadata.get("CloudWatchMetrics", []):
        wrong += _directive(directive, root)
    return wrong


def metrics_of(line: str) -> dict[str, float]:
    """The metrics that CloudWatch makes of a line."""
    root = json.loads(line)
    return {
        one["Name"]: root[one["Name"]]
        for directive in root["_aws"]["CloudWatchMetrics"]
        for one in directive["Metrics"]
    }  # fmt: skip


def _directive(directive: Any, root: dict[str, Any]) -> list[str]:
    if not isinstance(directive, dict) or directive.keys() != {"Namespace", "Dimensions", "Metrics"}:
        return ["a directive has Namespace, Dimensions and Metrics, and nothing else"]
    wrong = []
    if not _is_text(directive["Namespace"], NAME_MAX):
        wrong.append("Namespace is a text of 1 to 1024 characters")
    sets = directive["Dimensions"]
    if not isinstance(sets, list) or not sets or not all(isinstance(one, list) for one in sets):
        wrong.append("Dimensions is a list of at least one list, which may be empty")
        sets = []
    for names in sets:
        if len(names) > DIMENSIONS_MAX or not all(_is_text(name, DIMENSION_NAME_MAX) for name in names):
            wrong.append("a set has at most 30 dimensions, each a text of 1 to 250 characters")
        elif not all(_is_text(root.get(name), NAME_MAX) for name in names):
            wrong.append("a dimension is a member of the root, a text of at most 1024 characters")
    metrics = directive["Metrics"]
    if not isinstance(metrics, list) or len(metrics) > METRICS_MAX:
        return [*wrong, "Metrics is a list of at most 100"]
    for one in metrics:
        wrong += _metric(one, root)
    return wrong


def _metric(one: Any, root: dict[str, Any]) -> list[str]:
    if not isinstance(one, dict) or not {"Name"} <= one.keys() <= {"Name", "Unit", "StorageResolution"}:
        return ["a metric has a Name, perhaps Unit and StorageResolution, and nothing else"]
    wrong = []
    if not _is_text(one["Name"], NAME_MAX):
        return ["Name is a text of 1 to 1024 characters"]
    if one.get("Unit", "None") not in UNITS:
        wrong.append("Unit is one of CloudWatch's")
    if one.get("StorageResolution", 60) not in (1, 60):
        wrong.append("StorageResolution is 1 or 60")
    value = root.get(one["Name"])
    values = value if isinstance(value, list) else [value]
    if len(values) > VALUES_MAX or not all(type(each) in (int, float) for each in values):
        wrong.append("a metric is a member of the root, a number or at most 100 numbers")
    return wrong


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= most

"""The rules of the Embedded Metric Format, each broken once: a check that finds nothing would pass every line."""

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.api.emf import broken_rules

GOOD: dict[str, Any] = {
    "_aws": {
        "Timestamp": 1_795_248_000_000,
        "CloudWatchMetrics": [
            {
                "Namespace": "N",
                "Dimensions": [[], ["kind"]],
                "Metrics": [{"Name": "Requests", "Unit": "Count", "StorageResolution": 60}, {"Name": "Times"}],
            }
        ],
    },
    "Requests": 1,
    "Times": [1, 2.5],
    "kind": "read",
}
DIRECTIVE = ("_aws", "CloudWatchMetrics", 0)
METRIC = (*DIRECTIVE, "Metrics", 0)
BROKEN: dict[str, tuple[tuple[Any, ...], Any]] = {
    "no metadata": (("_aws",), 1),
    "a time in seconds": (("_aws", "Timestamp"), 1_795_248_000),
    "a time that is a text": (("_aws", "Timestamp"), "1795248000000"),
    "more metadata": (("_aws", "More"), 1),
    "a member more in a directive": ((*DIRECTIVE, "Unit"), "Count"),
    "an empty namespace": ((*DIRECTIVE, "Namespace"), ""),
    "no set of dimensions": ((*DIRECTIVE, "Dimensions"), []),
    "dimensions without sets": ((*DIRECTIVE, "Dimensions"), ["kind"]),
    "too many dimensions": ((*DIRECTIVE, "Dimensions"), [["kind"] * 31]),
    "a dimension that is missing": ((*DIRECTIVE, "Dimensions"), [["engine"]]),
    "a dimension that is a number": (("kind",), 3),
    "too many metrics": ((*DIRECTIVE, "Metrics"), [{"Name": "Requests"}] * 101),
    "a unit of its own": ((*METRIC, "Unit"), "Requests"),
    "a resolution of its own": ((*METRIC, "StorageResolution"), 5),
    "a member more in a metric": ((*METRIC, "Value"), 1),
    "a metric that is missing": ((*METRIC, "Name"), "Errors"),
    "a metric that is nested": (("Requests",), {"value": 1}),
    "a metric that is a text": (("Requests",), "1"),
    "a metric that is true": (("Requests",), True),
    "too many values": (("Times",), [1] * 101),
    "a line that is too long": (("more",), "x" * 262_144),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_of_the_format_is_found(rule: str) -> None:
    path, value = BROKEN[rule]
    line = deepcopy(GOOD)
    assert broken_rules(json.dumps(line)) == []
    inner: Any = line
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert len(broken_rules(json.dumps(line))) == 1


@pytest.mark.parametrize("line", ['INFO {"_aws": {}}', "[]", "{}", '{"_aws":\n1}', json.dumps(GOOD, indent=1)])
def test_a_line_that_is_no_document_is_found(line: str) -> None:
    assert broken_rules(line) != []

"""What an analytics event may say, and when it may have happened."""

from typing import Any

import pytest

from domain.events import PROPERTIES_BYTES_MAX, PROPERTIES_DEPTH_MAX, is_time, properties_fit, window


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"d": value}
    return value


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("2026-11-21T08:00:00.000Z", True),
        ("2024-02-29T23:59:59.999Z", True),
        ("2026-02-29T08:00:00.000Z", False),
        ("2026-13-01T08:00:00.000Z", False),
        ("2026-11-21T25:00:00.000Z", False),
        ("2026-11-21T08:60:00.000Z", False),
        ("2026-11-21T08:00:61.000Z", False),
        ("0000-01-01T00:00:00.000Z", False),
    ],
)
def test_times_that_there_are(text: str, real: bool) -> None:
    assert is_time(text) is real


@pytest.mark.parametrize(
    ("properties", "fit"),
    [
        ({}, True),
        ({"x": "y" * (PROPERTIES_BYTES_MAX - 8)}, True),
        ({"x": "y" * (PROPERTIES_BYTES_MAX - 7)}, False),
        ({"x": "é" * (PROPERTIES_BYTES_MAX // 2)}, False),
        (nested(PROPERTIES_DEPTH_MAX), True),
        (nested(PROPERTIES_DEPTH_MAX + 1), False),
        ({"x": [[]] * 10}, True),
        (nested(2_000), False),
    ],
)
def test_properties_that_fit(properties: dict[str, Any], fit: bool) -> None:
    assert properties_fit(properties) is fit


def test_the_window_is_in_days() -> None:
    day = 86_400_000
    assert window(1_000 * day) == (600 * day, 1_001 * day)

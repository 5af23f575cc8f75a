"""The one place that looks at the clock, in the one form that the shop writes times."""

from __future__ import annotations

import time

_seconds_text: tuple[int, str] = (-1, "")


def milliseconds_now() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def stamp(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-21T08:00:00.000Z`."""
    global _seconds_text
    seconds, rest = divmod(milliseconds, 1000)
    if _seconds_text[0] != seconds:
        _seconds_text = (seconds, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(seconds)))
    return f"{_seconds_text[1]}{rest:03d}Z"

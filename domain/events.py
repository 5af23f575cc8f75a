"""What an analytics event may say, and when it may have happened."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

PROPERTIES_BYTES_MAX: Final = 4_096
PROPERTIES_DEPTH_MAX: Final = 10
DAYS_BACK_MAX: Final = 400
DAYS_AHEAD_MAX: Final = 1
DAY_MILLISECONDS: Final = 86_400_000


def is_time(text: str) -> bool:
    """Whether a text in the form of a time is one: there is no 31st of February."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def properties_fit(properties: dict[str, Any]) -> bool:
    """Whether the properties are at most PROPERTIES_BYTES_MAX bytes of JSON and PROPERTIES_DEPTH_MAX levels deep."""
    if not _within(properties, PROPERTIES_DEPTH_MAX):
        return False
    text = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) <= PROPERTIES_BYTES_MAX


def window(now: int) -> tuple[int, int]:
    """The earliest and the latest time that an event may have, in milliseconds since 1970 like `now`."""
    return now - DAYS_BACK_MAX * DAY_MILLISECONDS, now + DAYS_AHEAD_MAX * DAY_MILLISECONDS


def _within(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_within(one, levels - 1) for one in inner)

"""A limit on how often something may be tried: a counter in the database for each key and window of time.

Whoever counts sends `Window.counting()` in the batch that must be kept before anything is judged: its guard lets no
more through than the limit, however many come at once. `Call.limit` tells where the caller stands in headers of the
answer. Source: IETF draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from api.clock import stamp
from db.sql import Sql, Statement, Value, guard

COUNTED = Sql("SELECT count FROM rate_limits WHERE scope = :scope AND window = :window", "rate_limits.pk")
ROOM = Sql(
    guard(
        "NOT EXISTS (SELECT 1 FROM rate_limits WHERE scope = :scope AND window = :window AND count >= :quota)",
        "rate_limited",
        "json_object('limit', :name)",
    ),
    "rate_limits.pk",
)
COUNT = Sql("""
    INSERT INTO rate_limits (scope, window, count, expires_at, created_at, updated_at)
    VALUES (:scope, :window, 1, :expires_at, :now, :now)
    ON CONFLICT (scope, window) DO UPDATE SET count = count + 1, updated_at = excluded.updated_at
    RETURNING count
""")
FORGET_THE_ONLY = Sql(
    "DELETE FROM rate_limits WHERE scope = :scope AND window = :window AND count = 1", "rate_limits.pk"
)
GIVE_BACK = Sql(
    "UPDATE rate_limits SET count = count - 1, updated_at = :now "
    "WHERE scope = :scope AND window = :window AND count > 1",
    "rate_limits.pk",
)
FORGET = Sql("DELETE FROM rate_limits WHERE scope = :scope AND window = :window", "rate_limits.pk")


class Limit(NamedTuple):
    """`quota` tries in `seconds`, for each key; windows begin at whole multiples of `seconds` since 1970."""

    name: str
    quota: int
    seconds: int

    def window(self, key: str, milliseconds: int) -> Window:
        """The window of `key` (any text; only its SHA-256 is kept) at a time in milliseconds since 1970."""
        scope = f"{self.name}:{hashlib.sha256(key.encode()).hexdigest()}"
        return Window(self, scope, milliseconds)


class Window(NamedTuple):
    """One counter, seen at one moment."""

    limit: Limit
    scope: str
    milliseconds: int

    @property
    def begins(self) -> int:
        """Milliseconds since 1970."""
        return self.milliseconds - self.milliseconds % (self.limit.seconds * 1000)

    @property
    def seconds_left(self) -> int:
        """Until the window ends, rounded up: 1 at least."""
        return self.limit.seconds - (self.milliseconds - self.begins) // 1000

    def counted(self) -> Statement:
        """For a read: a row with `count`, or none."""
        return COUNTED(scope=self.scope, window=stamp(self.begins))

    def room(self) -> Statement:
        """For a batch: refuses with `rate_limited` once the quota is used up."""
        return ROOM(scope=self.scope, window=stamp(self.begins), quota=self.limit.quota, name=self.limit.name)

    def counting(self) -> list[Statement]:
        """For a batch: counts one try if there is room; the last statement's row has the new `count`."""
        return [self.room(), self.one_more()]

    def one_more(self) -> Statement:
        """For a batch: counts one try, whether there is room or not; its row has the new `count`."""
        ends = self.begins + self.limit.seconds * 1000
        now = stamp(self.milliseconds)
        return COUNT(scope=self.scope, window=stamp(self.begins), expires_at=stamp(ends), now=now)

    def giving_back(self) -> list[Statement]:
        """For a batch: one try less is counted."""
        mine: dict[str, Value] = {"scope": self.scope, "window": stamp(self.begins)}
        return [FORGET_THE_ONLY(**mine), GIVE_BACK(**mine, now=stamp(self.milliseconds))]

    def forgetting(self) -> Statement:
        """For a batch: the window's tries are forgotten."""
        return FORGET(scope=self.scope, window=stamp(self.begins))

    def left(self, count: int) -> int:
        """Tries left after `count`."""
        return max(self.limit.quota - count, 0)

    def headers(self, left: int, *, refused: bool) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit; for who is refused Retry-After, too."""
        name, quota, seconds = self.limit
        left, ends = 0 if refused else left, self.seconds_left
        found = [
            (b"ratelimit-policy", f'"{name}";q={quota};w={seconds}'.encode()),
            (b"ratelimit", f'"{name}";r={left};t={ends}'.encode()),
        ]
        return [*found, (b"retry-after", b"%d" % ends)] if refused else found

"""A limit's window: where it begins, what is left of it, what the headers say."""

import pytest

from api.rate_limit import Limit

HOUR = Limit("guest", quota=10, seconds=3600)
NINE = 1_795_251_600_000
"""2026-11-21T09:00:00.000Z."""


@pytest.mark.parametrize(("after", "left"), [(0, 3600), (1, 3600), (999, 3600), (1000, 3599), (3_599_999, 1)])
def test_a_window_begins_at_a_whole_hour_and_says_how_long_it_lasts(after: int, left: int) -> None:
    window = HOUR.window("key", NINE + after)
    assert (window.begins, window.seconds_left) == (NINE, left)
    assert window.counted().values[1] == "2026-11-21T09:00:00.000Z"


def test_the_next_window_is_another() -> None:
    assert HOUR.window("key", NINE + 3_600_000).counted() != HOUR.window("key", NINE).counted()


def test_a_key_is_kept_as_its_hash_under_the_limit_s_name() -> None:
    scope = HOUR.window("7K3M-9QPX", NINE).scope
    assert scope.startswith("guest:")
    assert len(scope) == 6 + 64
    assert "7K3M" not in scope
    assert scope != HOUR.window("7K3M-9QPY", NINE).scope


def test_counting_is_guarded_and_expires_with_the_window() -> None:
    room, count = HOUR.window("key", NINE + 1).counting()
    assert room == HOUR.window("key", NINE + 2).room()
    assert {"2026-11-21T09:00:00.000Z", "2026-11-21T10:00:00.000Z", "2026-11-21T09:00:00.001Z"} <= set(count.values)


@pytest.mark.parametrize(("count", "left"), [(0, 10), (9, 1), (10, 0), (11, 0)])
def test_headers_say_what_is_left(count: int, left: int) -> None:
    window = HOUR.window("key", NINE + 1_800_000)
    assert window.left(count) == left
    told = [(b"ratelimit-policy", b'"guest";q=10;w=3600'), (b"ratelimit", b'"guest";r=%d;t=1800' % left)]
    assert window.headers(left, refused=False) == told


def test_who_is_refused_has_nothing_left_and_is_told_when_to_come_again() -> None:
    found = dict(HOUR.window("key", NINE).headers(3, refused=True))
    assert found[b"ratelimit"] == b'"guest";r=0;t=3600'
    assert found[b"retry-after"] == b"3600"

"""Verified access tokens are kept for a while: what they say still ends, and nothing wrong is kept."""

import pytest

from api import tokens
from api.problems import Problem
from api.tokens import Session, read_access_token, write_access_token

SECRETS = [b"0123456789abcdef0123456789abcdef"]
OTHER = [b"another-0123456789abcdef-0123456"]
SESSION = Session("user_1", "session_1")
NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    tokens._verified.cache_clear()


def test_a_kept_token_begins_and_ends() -> None:
    token = write_access_token(SECRETS, SESSION, NOW, 900)
    for _ in range(2):
        assert read_access_token(SECRETS, token, NOW) == SESSION
        assert read_access_token(SECRETS, token, NOW + 899_999) == SESSION
        for when in (NOW - 1, NOW + 900_000):
            with pytest.raises(Problem, match="unauthenticated"):
                read_access_token(SECRETS, token, when)
    assert tokens._verified.cache_info().misses == 1


def test_a_key_that_was_taken_away_verifies_nothing_that_was_kept() -> None:
    token = write_access_token(OTHER, SESSION, NOW, 900)
    assert read_access_token([*SECRETS, *OTHER], token, NOW) == SESSION
    with pytest.raises(Problem, match="unauthenticated"):
        read_access_token(SECRETS, token, NOW)


def test_what_is_wrong_is_not_kept() -> None:
    token = write_access_token(OTHER, SESSION, NOW, 900)
    for wrong in (token, token[:-1], "", "x.y.z", "x" * 2_000):
        with pytest.raises(Problem, match="unauthenticated"):
            read_access_token(SECRETS, wrong, NOW)
    assert tokens._verified.cache_info().currsize == 0

"""Cases of the second factor and of sign-in through a provider. `{login}` is the access token of a session of a person
without a second factor that was stepped up just now, and `{password}` that person's password.

Whoever comes back from a provider is only asked in the way that must be refused: the right answers are in tests.
"""

from __future__ import annotations

from typing import Final

from tools.runtime.events import Ask, Case

PERSON: Final = {"authorization": "Bearer {login}"}
BACK: Final = {"code": "code", "state": "state"}
CASES: Final[tuple[Case, ...]] = (
    Case(
        "step_up", (Ask("POST", "/auth/step-up", {"password": "{password}"}, PERSON),), 204,
        Ask("POST", "/auth/step-up", {"password": "not the password"}, PERSON), (401, "invalid_credentials"),
    ),
    Case(
        "start_two_factor", (Ask("POST", "/me/two-factor", {}, PERSON, {"totp_secret": "secret"}),), 201,
        Ask("POST", "/me/two-factor", {}), (401, "unauthenticated"),
    ),
    Case(
        "confirm_two_factor", (Ask("POST", "/me/two-factor/confirm", {"code": "{totp}"}, PERSON),), 200,
        Ask("POST", "/me/two-factor/confirm", {"code": "nonsense"}, PERSON), (409, "two_factor_enabled"),
    ),
    Case(
        "renew_recovery_codes", (Ask("POST", "/me/two-factor/recovery-codes", {}, PERSON),), 200,
        Ask("POST", "/me/two-factor/recovery-codes", {}), (401, "unauthenticated"),
    ),
    Case(
        "delete_two_factor", (Ask("DELETE", "/me/two-factor", headers=PERSON),), 204,
        Ask("DELETE", "/me/two-factor", headers=PERSON), (404, "not_found"),
    ),
    Case(
        "begin_oauth", (Ask("GET", "/auth/oauth/github"),), 200,
        Ask("GET", "/auth/oauth/google"), (404, "not_found"),
    ),
    Case(
        "finish_oauth", (), 200,
        Ask("POST", "/auth/oauth/github/callback", BACK), (401, "invalid_credentials"),
    ),
)  # fmt: skip

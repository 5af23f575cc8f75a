"""Cases of the second factor and of sign-in through a provider. `{login}` is the access token of a session of a person
without a second factor that was stepped up just now, and `{password}` that person's password.

What needs a provider or an app's code is asked in the way that must be refused; its right answers are in tests.
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
        "start_two_factor", (Ask("POST", "/me/two-factor", {}, PERSON),), 201,
        Ask("POST", "/me/two-factor", {}), (401, "unauthenticated"),
    ),
    Case(
        "confirm_two_factor", (), 200,
        Ask("POST", "/me/two-factor/confirm", {"code": "nonsense"}, PERSON), (401, "invalid_credentials"),
    ),
    Case(
        "renew_recovery_codes", (), 200,
        Ask("POST", "/me/two-factor/recovery-codes", {}, PERSON), (404, "not_found"),
    ),
    Case(
        "delete_two_factor", (Ask("DELETE", "/me/two-factor", headers=PERSON),), 204,
        Ask("DELETE", "/me/two-factor", headers=PERSON), (404, "not_found"),
    ),
    Case("begin_oauth", (), 200, Ask("GET", "/auth/oauth/github"), (404, "not_found")),
    Case(
        "finish_oauth", (), 200,
        Ask("POST", "/auth/oauth/github/callback", BACK), (404, "not_found"),
    ),
)  # fmt: skip

"""Cases of accounts and sessions, and the people that they and others ask as: `people` writes them."""

from __future__ import annotations

from typing import Any, Final

from api.auth import hash_of
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from api.passwords import hash_password
from api.tokens import Session, write_access_token
from db.helper import Database, insert_statements
from tools.runtime.events import Ask, Case, Due

PASSWORD: Final = "a stick split in two"  # noqa: S105 - of the shop that is asked
NEW_PASSWORD: Final = "the foil and the stock"  # noqa: S105
HERE: Final = {"authorization": "Bearer {access}"}
TOKENS: Final = {"access": "access_token", "refresh": "refresh_token"}
NEWCOMER: Final = {"email": "newcomer@example.com", "password": PASSWORD}
LOG_IN: Final = {"email": "{customer}", "password": PASSWORD}
DAY: Final = 86_400_000

CASES: Final[tuple[Case, ...]] = (
    Case(
        "register_user", (Ask("POST", "/auth/register", NEWCOMER),), 202,
        Ask("POST", "/auth/register", {**NEWCOMER, "password": "short"}), (422, "invalid"),
    ),
    Case(
        "verify_email", (Ask("POST", "/auth/verify-email", {"token": "{verification}", "password": PASSWORD}),), 204,
        Ask("POST", "/auth/verify-email", {"token": "{verification}", "password": PASSWORD}), (410, "token_used"),
    ),
    Case(
        "log_in", (Ask("POST", "/auth/log-in", LOG_IN, keep=TOKENS),), 200,
        Ask("POST", "/auth/log-in", {**LOG_IN, "password": "another"}), (401, "invalid_credentials"),
    ),
    Case(
        "refresh_session", (Ask("POST", "/auth/refresh", {"refresh_token": "{refresh}"}, keep=TOKENS),), 200,
        Ask("POST", "/auth/refresh", {"refresh_token": "rt_unknown"}), (401, "unauthenticated"),
    ),
    Case(
        "list_sessions", (Ask("GET", "/me/sessions", headers=HERE),), 200,
        Ask("GET", "/me/sessions?limit=0", headers=HERE), (422, "invalid"),
    ),
    Case(
        "delete_session", (Ask("DELETE", "/me/sessions/{other_session}", headers=HERE),), 204,
        Ask("DELETE", "/me/sessions/{other_session}", headers=HERE), (404, "not_found"),
    ),
    Case(
        "change_password",
        (Ask("POST", "/me/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}, HERE),), 204,
        Ask("POST", "/me/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}, HERE),
        (401, "invalid_credentials"),
    ),
    Case(
        "log_out", (Ask("POST", "/auth/log-out", {}, HERE),), 204,
        Ask("POST", "/auth/log-out", {}, HERE), (401, "unauthenticated"),
    ),
    Case(
        "request_password_reset", (Ask("POST", "/auth/password-reset", {"email": "{customer}"}),), 202,
        Ask("POST", "/auth/password-reset", {"email": "nobody"}), (422, "invalid"),
    ),
    Case(
        "reset_password",
        (Ask("POST", "/auth/password-reset/confirm", {"token": "{reset}", "password": PASSWORD}),), 204,
        Ask("POST", "/auth/password-reset/confirm", {"token": "{reset}", "password": PASSWORD}), (410, "token_used"),
    ),
)  # fmt: skip
DUE: Final[tuple[Due, ...]] = (
    Due("send_mail", "", {"sent": 0}, looks=True),  # without SMTP_URL mail waits
    Due(
        "forget_sessions",
        "UPDATE user_sessions SET created_at = '2001-01-01T00:00:00.000Z', expires_at = '2001-01-02T00:00:00.000Z' "
        "WHERE id = '{other_session}'",
        {"sessions": 1},
    ),
)


async def people(db: Database, secret_key: bytes, cost: int = 10) -> dict[str, Any]:
    """Write who the cases ask as; what to fill in. `customer` logs in with PASSWORD and changes it; `login` is the
    access token of another person, stepped up a moment ago, whose `password` stays.
    """
    now = milliseconds_now()
    times = {"created_at": stamp(now), "updated_at": stamp(now)}
    hashed, later = await hash_password(PASSWORD, cost), stamp(now + DAY)
    customer, person, waiting, forgetful = typeids("user", 4, now)
    session, other = typeids("session", 2, now)
    names = {customer: "customer", person: "person", waiting: "waiting", forgetful: "forgetful"}
    emails = {one: f"{name}@example.com" for one, name in names.items()}
    users = [
        {"id": one, "email": email, "password_hash": None if one == waiting else hashed,
         "email_verified_at": None if one == waiting else stamp(now), **times}
        for one, email in emails.items()
    ]  # fmt: skip
    sessions = [
        {"id": one, "user_id": owner, "refresh_token_hash": hash_of(one), "stepped_up_at": stamp(now),
         "last_used_at": stamp(now), "expires_at": later, **times}
        for one, owner in ((session, person), (other, customer))
    ]  # fmt: skip
    tokens = {"verification": "verification-token", "reset": "reset-token"}
    verification = {
        "id": typeids("token", 1, now)[0], "user_id": waiting, "purpose": "REGISTER", "email": emails[waiting],
        "token_hash": hash_of(tokens["verification"]), "password_hash": hashed, "expires_at": later, **times,
    }  # fmt: skip
    reset = {
        "id": typeids("reset", 1, now)[0], "user_id": forgetful, "token_hash": hash_of(tokens["reset"]),
        "expires_at": later, **times,
    }  # fmt: skip
    await db.batch(
        [
            *insert_statements("users", users),
            *insert_statements("user_sessions", sessions),
            *insert_statements("verification_tokens", [verification]),
            *insert_statements("password_resets", [reset]),
        ]
    )
    login = write_access_token([secret_key], Session(person, session), now, 900)
    known = {"customer": emails[customer], "login": login, "password": PASSWORD, "person": login}
    known |= {"user": person, "spare_user": forgetful}
    return {**known, **tokens, "other_session": other}

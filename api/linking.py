"""Whose session a sign-in through a provider opens, and what is written for it to be theirs.

A known account is its user's. An address that the provider has verified is the user's who has verified it here; of one
that was registered here and never proven, the account becomes its owner's, and whatever the one who registered it left
there goes. Otherwise there is a new customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from api import trail
from api.idempotency import telling
from api.problems import Problem
from api.second_factor import judged
from api.tries import Tries
from db.sql import Statement
from db.statements import oauth, people, two_factor

if TYPE_CHECKING:
    from api.call import Call
    from db.helper import Row

# :members = what the person is handed of the session, a JSON object.
TOKENS: Final = telling(
    f"""
    SELECT json_set(:members, '$.user', json({people.PERSON})) AS answer, CASE WHEN :now IS NULL THEN 1 END AS version
    FROM live_users u WHERE u.id = :user_id
    """,
    "users.pk",
    *people.PERSON_INDEXES,
)


class Known(NamedTuple):
    """What a provider says of who signs in."""

    provider: str
    account_id: str
    email: str
    first_name: str | None
    last_name: str | None

    @property
    def account(self) -> dict[str, str]:
        return {"provider": self.provider, "account_id": self.account_id}

    def asked_for(self) -> list[Statement]:
        """For a read: whose the account is, and whose the address."""
        return [
            oauth.USER_BY_ACCOUNT(**self.account),
            oauth.USER_BY_EMAIL(email=self.email, provider=self.provider),
        ]


class Signing(NamedTuple):
    """Who signs in (None: somebody new), and whether by an account that is linked already."""

    user: dict[str, Any] | None
    linked: bool

    @property
    def is_proven(self) -> bool:
        """Whether the user is the one who made the account here, so that their second factor counts."""
        return self.user is not None and (self.linked or self.user["email_verified_at"] is not None)


def signing(rows: list[list[Row]]) -> Signing:
    """Who it is, by what `asked_for` found. Raises `invalid_credentials` for who may not log in."""
    by_account, by_email = rows
    found = by_account or by_email
    user = found[0] if found else None
    signing = Signing(user, linked=bool(by_account))
    if user is None:
        return signing
    taken = not by_account and user["linked"] and signing.is_proven  # by another account of this provider
    if not user["live"] or user["status"] != "ACTIVE" or taken:
        raise Problem("invalid_credentials")
    return signing


def linking(signing: Signing, known: Known, user_id: str, call: Call) -> list[Statement]:
    """What makes the account `user_id`'s, who is the user found or the new one."""
    user, now = signing.user, call.now
    names = {"first_name": known.first_name, "last_name": known.last_name}
    customer = people.ADD_CUSTOMER(user_id=user_id, now=now)
    add = oauth.ADD_ACCOUNT(
        id=call.id("oauth"), user_id=user_id, **known.account, email=known.email, now=now
    )  # fmt: skip
    claim = people.CLAIM_ORDERS(user_id=user_id, email=known.email, now=now)
    linked = trail.security_event(call, "oauth_linked", user_id, provider=known.provider)
    if user is None:
        unknown = oauth.UNKNOWN_AS_READ(email=known.email, **known.account)
        made = oauth.ADD_USER(id=user_id, email=known.email, **names, now=now)
        return [unknown, made, customer, add, claim, *linked]
    as_read = oauth.AS_READ(
        user_id=user_id,
        email=user["email"],
        verified_at=user["email_verified_at"],
        password_hash=user["password_hash"],
        owner=user_id if signing.linked else None,
        **known.account,
    )
    if signing.linked:
        return [as_read]
    if signing.is_proven:
        return [as_read, add, *linked]
    whose = {"user_id": user_id, "now": now}
    return [
        as_read,
        oauth.TAKE_OVER(**whose, **names),
        two_factor.FORGET_RECOVERY_CODES(user_id=user_id),
        people.VOID_TOKENS(**whose),
        people.VOID_RESETS(**whose),
        oauth.FORGET_ACCOUNTS(user_id=user_id),
        people.END_SESSIONS(**whose, keep=None),
        customer,
        add,
        claim,
        *linked,
        *trail.security_event(call, "account_reclaimed", user_id),
    ]


async def shown_with(user: Row, code: str | None, call: Call) -> list[Statement]:
    """What uses a second factor's code up, for the batch; a try at it counts with those of log-in."""
    if code is None:
        raise Problem("two_factor_required")
    tries = Tries(call, user["email"])
    await tries.counted()
    try:
        return [*judged(user, code, call), *tries.right()]
    except Problem:
        await tries.failed(user["id"])
        raise

"""The second factor: a code of an authenticator app, or one of ten recovery codes for when the app is lost.

A code is good once. What uses it up stands in the batch of what it opens, behind a guard, so that of two uses at once
one is refused.
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from api import trail
from api.auth import hash_of
from api.call import dumps
from api.problems import Problem
from api.shapes import Shape
from db.sql import Statement
from db.statements import two_factor
from domain import totp

if TYPE_CHECKING:
    from api.call import Call

RECOVERY_CODES: Final = 10
_HALF: Final = 5
"""Characters before the dash, and after it: ten of base 32 are 50 bits."""

Code = Annotated[
    str,
    Field(
        min_length=1, max_length=50, examples=["123456"],
        description="Of the authenticator app, or a recovery code; upper and lower case, spaces and dashes are alike.",
    ),
]  # fmt: skip


class RecoveryCodes(Shape):
    recovery_codes: list[str] = Field(
        description="Each is good once, in place of a code of the app. Shown once: only their hashes are kept.",
        examples=[["k7wq2-m4xzd"]],
    )


def judged(user: dict[str, Any], code: str | None, call: Call) -> list[Statement]:
    """What uses up `code`, for the batch of what it opens. `user` is a row of `people.USER`.

    Raises `two_factor_required` where the user has a second factor and sent no code, `invalid_credentials` for a wrong
    or used one; so does the batch, if somebody was faster. Without a second factor, the batch holds that this is so.
    """
    user_id, enabled_at, now = user["id"], user["two_factor_enabled_at"], call.now
    if enabled_at is None:
        return [two_factor.STILL_OFF(user_id=user_id)]
    if code is None:
        raise Problem("two_factor_required")
    plain = _plain(code)
    if len(plain) == totp.DIGITS:
        step = totp.step_of(user["two_factor_secret"], plain, call.milliseconds // 1000, user["two_factor_step"])
        if step is None:
            raise Problem("invalid_credentials")
        return [
            two_factor.STEP_UNUSED(user_id=user_id, enabled_at=enabled_at, step=step),
            two_factor.USE_STEP(user_id=user_id, step=step, now=now),
        ]
    unused, hashed = json.loads(user["recovery_codes"]), hash_of(plain)
    if hashed not in unused:
        raise Problem("invalid_credentials")
    return [
        two_factor.RECOVERY_CODE_UNUSED(user_id=user_id, hash=hashed),
        two_factor.USE_RECOVERY_CODE(user_id=user_id, hash=hashed, now=now),
        *trail.security_event(call, "recovery_code_used", user_id, left=len(unused) - 1),
    ]


def new_secret() -> str:
    """160 bits in base 32, as RFC 4226 §4 recommends."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def new_recovery_codes(user_id: str, now: str) -> tuple[RecoveryCodes, list[Statement]]:
    """Ten new ones, and what puts them in the place of those before."""
    drawn = [base64.b32encode(secrets.token_bytes(10))[: 2 * _HALF].decode() for _ in range(RECOVERY_CODES)]
    shown = [f"{one[:_HALF]}-{one[_HALF:]}".lower() for one in drawn]
    return RecoveryCodes(recovery_codes=shown), [
        two_factor.FORGET_RECOVERY_CODES(user_id=user_id),
        two_factor.ADD_RECOVERY_CODES(user_id=user_id, hashes=dumps([hash_of(one) for one in drawn]), now=now),
    ]


def _plain(code: str) -> str:
    """A code without what people and apps write into it to read it better."""
    return "".join(code.upper().replace("-", "").split())

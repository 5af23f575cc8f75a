"""People with a second factor."""

from __future__ import annotations

import hashlib
import time
from typing import Any, NamedTuple

from api import clock
from domain.totp import code_at
from tests.functions.auth.support import EMAIL, PASSWORD
from tests.shop import Reply, Shop

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
TURN_ON = "/me/two-factor"
CONFIRM = "/me/two-factor/confirm"
RENEW = "/me/two-factor/recovery-codes"
MARGIN_MILLISECONDS = 3_000


class Protected(NamedTuple):
    """A user with a second factor, the access token of a session, and the recovery codes."""

    id: str
    token: str
    recovery_codes: list[str]


def code(secret: str = SECRET, steps: int = 0) -> str:
    """The code of now, or of so many steps of 30 seconds later; of a step that lasts long enough to use it."""
    left = 30_000 - clock.milliseconds_now() % 30_000
    if left < MARGIN_MILLISECONDS:
        time.sleep(left / 1000)
    return code_at(secret, clock.milliseconds_now() // 30_000 + steps)


def protected(shop: Shop, email: str = EMAIL, *, stepped_up: bool = True) -> Protected:
    """Written as rows, so that no code is used up yet."""
    user = shop.user("customer", email=email, password=PASSWORD)
    now = shop.now
    shop.execute("UPDATE users SET two_factor_secret = ?, two_factor_enabled_at = ? WHERE id = ?", SECRET, now, user)
    codes = [f"abcde-fgh{number}{number}" for number in range(2, 8)]
    for one in codes:
        hashed = hashlib.sha256(one.upper().replace("-", "").encode()).hexdigest()
        shop.insert("recovery_codes", user_id=user, code_hash=hashed, created_at=now, updated_at=now)
    return Protected(user, shop.session(user, stepped_up=stepped_up), codes)


def factor(shop: Shop, user: str) -> Any:
    """(secret, whether it is on, the last step used, codes, codes unused)"""
    [row] = shop.rows(
        "SELECT two_factor_secret, two_factor_enabled_at IS NOT NULL, two_factor_step FROM users WHERE id = ?", user
    )
    counted = "SELECT count(*), count(*) - count(used_at) FROM recovery_codes WHERE user_id = ?"
    return *row, *shop.rows(counted, user)[0]


def live_sessions(shop: Shop, user: str) -> int:
    found: int = shop.one("SELECT count(*) FROM user_sessions WHERE user_id = ? AND revoked_at IS NULL", user)
    return found


def refused(reply: Reply, status: int, code: str) -> None:
    assert (reply.status, reply.body["code"]) == (status, code), reply.text

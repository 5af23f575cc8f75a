"""Codes of an authenticator app: RFC 6238 with what every app takes, SHA-1, six digits, 30 seconds.

Of one code the step before and the one after are taken, too (RFC 6238 §5.2: clocks differ, and people type slowly). A
step that was used, and whatever is older, is good for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

DIGITS: Final = 6
STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one whose codes are taken."""


def code_at(secret: str, step: int, *, digits: int = DIGITS, digest: Callable[..., Any] = hashlib.sha1) -> str:
    """The code of the step numbered `step`, each of 30 seconds since 1970; `secret` is in base 32."""
    import pyotp

    return pyotp.TOTP(secret, digits=digits, digest=digest, interval=STEP_SECONDS).generate_otp(step)


def step_of(secret: str, code: str, seconds: int, used: int) -> int | None:
    """The step near the time `seconds` since 1970 that `code` is of, later than the step `used`; None for none."""
    present, sent = seconds // STEP_SECONDS, code.encode()
    found = None
    for step in range(max(present - WINDOW, 0), present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), sent) and step > used:
            found = step
    return found


def uri_of(secret: str, account: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code."""
    import pyotp

    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)

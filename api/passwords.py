"""Passwords: what may be one, and bcrypt away from the event loop.

bcrypt reads 72 bytes, so a longer password is refused instead of cut. Source: NIST SP 800-63B-4 (length, a list of
common ones, no rules of composition); OWASP's cheat sheet on password storage.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from api.problems import invalid

BYTES_MIN: Final = 12
BYTES_MAX: Final = 72
COMMON: Final = Path(__file__).with_name("common_passwords.txt")
"""Those of the usual lists that are long enough to be taken at all, in lower case, a line each."""

Password = Annotated[
    str,
    Field(
        min_length=1,
        max_length=4 * BYTES_MAX,  # whatever is shorter, `check_password` judges by its bytes
        description=f"{BYTES_MIN} to {BYTES_MAX} bytes in UTF-8.",
        json_schema_extra={"maxLength": BYTES_MAX},
    ),
]


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split("\n"))


def check_password(password: str, email: str, pointer: str = "/password") -> None:
    """Raises 422 for one that is too short or too long, that everybody tries, or that is the e-mail address."""
    length = len(password.encode())
    if not BYTES_MIN <= length <= BYTES_MAX or "\0" in password:
        raise invalid(pointer, "password_length", min=BYTES_MIN, max=BYTES_MAX)
    plain = password.casefold()
    if plain in _common() or len(set(plain)) < 4 or plain == email.casefold():
        raise invalid(pointer, "password_common")


async def hash_password(password: str, cost: int) -> str:
    """The bcrypt hash of a password of at most 72 bytes, at 2^cost rounds."""
    import bcrypt

    hashed = await asyncio.to_thread(lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)))
    return hashed.decode()


async def verify_password(password: str, hashed: str | None, cost: int) -> bool:
    """Whether `hashed` is of `password`. Without a hash the same work is done for nothing, and the answer is no."""
    import bcrypt

    sent = password.encode()
    known = hashed.encode() if hashed is not None else _nobodys(cost)
    if len(sent) > BYTES_MAX:
        sent, hashed = sent[:BYTES_MAX], None
    fits = await asyncio.to_thread(bcrypt.checkpw, sent, known)
    return fits and hashed is not None


@lru_cache(maxsize=4)
def _nobodys(cost: int) -> bytes:
    """A hash that no password is of: its salt is one, its sum is not."""
    return b"$2b$%02d$" % cost + b"." * 53

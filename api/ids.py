"""TypeIDs: a prefix and a UUIDv7 in base 32, so that ids sort by the time they were made.

Source: the public TypeID specification; RFC 9562 for UUIDv7.
"""

from __future__ import annotations

import os
from typing import Final

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [left + right for left in ALPHABET for right in ALPHABET]
_REFERENCE: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def typeids(prefix: str, count: int, milliseconds: int) -> list[str]:
    """`count` rising ids made at `milliseconds` since 1970, from one draw of randomness."""
    random = int.from_bytes(os.urandom(10), "big")
    # The first 48 bits are the time, ten characters; the other 80 are version, variant and chance.
    began = f"{prefix}_{_base32(milliseconds >> 40 & 255)[-2:]}{_base32(milliseconds & (1 << 40) - 1)}"
    base = 7 << 76 | (random >> 68) << 64 | 2 << 62 | (random & (1 << 61) - 1)
    made = []
    for step in range(count):
        # A step of 2^20 keeps the ids in order and their neighbours unguessable.
        value = base + (step << 20)
        made.append(f"{began}{_base32(value >> 40)}{_base32(value & (1 << 40) - 1)}")
    return made


def _base32(bits: int) -> str:
    """The eight characters of 40 bits."""
    return f"{_PAIRS[bits >> 30]}{_PAIRS[bits >> 20 & 1023]}{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def order_reference() -> str:
    """Eight characters that people can read out, e.g. `7K3M-9QPX`: no 0, 1, I, L, O or U."""
    random = int.from_bytes(os.urandom(8), "big")
    letters = []
    for _ in range(8):
        random, position = divmod(random, len(_REFERENCE))
        letters.append(_REFERENCE[position])
    text = "".join(letters)
    return f"{text[:4]}-{text[4:]}"

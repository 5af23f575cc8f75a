"""Names as words: `unitPrice`, `unit_price` and `UnitPrice` are unit and price; `categories` are category, too."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


@lru_cache(maxsize=65_536)
def words(name: str) -> tuple[str, ...]:
    """The words of an identifier, in lower case, each as one of its kind."""
    return tuple(singular(word.lower()) for word in _WORDS.findall(name))


def singular(word: str) -> str:
    """`moves` is move, `categories` category, `boxes` box; `status` and `address` stay."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(?:ss|sh|ch|x)es$", word):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def has(name: str, *any_of: str) -> bool:
    """Whether one of the words is in the name."""
    return not set(any_of).isdisjoint(words(name))

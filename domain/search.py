"""Words as the search index keeps them: one spelling for what people take to be the same word.

What is folded when a product is written is folded alike when somebody searches, so only equality matters, not beauty.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

TERMS_MAX: Final = 10
QUERY_LENGTH_MAX: Final = 200
NOTHING: Final = '""'
"""An FTS5 query that matches no row."""

_TATWEEL: Final = "\u0640"
# Letters that do not decompose, and are typed without their stroke or as two letters; both Turkish i become one.
_LETTERS: Final = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})
# Fathatan to sukun and the superscript alef: vowels that Arabic leaves out as a rule.
_HARAKAT: Final = frozenset([*map(chr, range(0x064B, 0x0653)), "\u0670"])
# Madda and hamza: on an alef they are often left out, on other letters they make another letter.
_ALEF_MARKS: Final = frozenset("\u0653\u0654\u0655")


class SearchText(NamedTuple):
    """The words of one product, folded: the columns of `product_search_texts`."""

    title: str
    body: str


def search_text(product: Mapping[str, Any], variants: Iterable[Mapping[str, Any]], producer: str | None) -> SearchText:
    """The words that a product is found by: its title; its summary, keywords, SKUs, variants' titles and producer's
    name.

    `product` has `title`, `summary` and `search_keywords` (a list, or the JSON text of one), each of the `variants`
    has `title` and `sku`.
    """
    keywords = product["search_keywords"]
    words = [product["summary"], *(json.loads(keywords) if isinstance(keywords, str) else keywords)]
    for variant in variants:
        words.append(variant["sku"])
        if variant["title"] != product["title"]:  # a product's only variant bears its title as a rule
            words.append(variant["title"])
    return SearchText(fold(product["title"]), fold(" ".join([*words, producer or ""])).strip())


def fold(text: str) -> str:
    """`text` without case, without the accents of Latin and Greek, without Arabic vowel points and tatweel.

    Marks of other scripts (the vowel signs of Devanagari, the dots of Japanese) carry meaning and stay. `ς` becomes
    `σ`; `İ`, `I`, `ı` and `i` become `i`. Folding twice changes nothing.
    """
    if text.isascii():
        return text.lower()
    kept: list[str] = []
    base = " "
    for character in unicodedata.normalize("NFKD", text):
        if not unicodedata.combining(character):
            base = character
            if character != _TATWEEL:
                kept.append(character)
        elif not _is_dropped(base, character):
            kept.append(character)
    folded = unicodedata.normalize("NFKC", "".join(kept).casefold().translate(_LETTERS))
    return folded if folded == text else fold(folded)


def match_query(text: str) -> str:
    """The FTS5 query for what somebody typed: every term must begin a word. Quoted, so that no input is syntax.

    At most `TERMS_MAX` terms of the first `QUERY_LENGTH_MAX` characters; without a letter or digit it matches nothing.
    """
    terms: list[str] = []
    term = ""
    for character in fold(text[:QUERY_LENGTH_MAX]) + " ":
        if _in_word(character):
            term += character
        elif term:
            terms.append(term)
            term = ""
    return " ".join([f'"{term}"*' for term in dict.fromkeys(terms[:TERMS_MAX])]) or NOTHING


def _is_dropped(base: str, mark: str) -> bool:
    if mark in _HARAKAT:
        return True
    return mark in _ALEF_MARKS if base == "ا" else _loses_accents(base)


@lru_cache(maxsize=1024)
def _loses_accents(base: str) -> bool:
    return unicodedata.name(base, "").startswith(("LATIN ", "GREEK "))


@lru_cache(maxsize=4096)
def _in_word(character: str) -> bool:
    """As the index's tokenizer does: `categories 'L* N* Co Mn Mc'` (migration 0002)."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category in ("Co", "Mn", "Mc")

"""What a product is called in an address, and how the prices of a product and its variants hang together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.refusals import Refusal

VARIANTS_MAX: Final = 100
"""Variants of one product: they are read, and answered, as one document."""
LOW_STOCK: Final = 5
"""The threshold of a variant for which none was given, pieces."""
SLUG_LENGTH_MAX: Final = 80
"""Characters of a slug that we make; one that is sent may be longer."""
SUFFIX_LENGTH_MAX: Final = 10
TAIL_LENGTH: Final = 8

FOLLOWING: Final = ("title", "price", "compare_at_price")

# Two letters before one: Greek digraphs (ELOT 743), then letters without a Latin base.
_PAIRS: Final = (
    (r"ου", "ou"),
    (r"([αεη])υ(?=[θκξπστφχψ]|\b)", r"\1f"),
    (r"([αεη])υ", r"\1v"),
    (r"\bμπ", "b"),
    (r"γ(?=[γξχ])", "n"),
)
_LETTERS: Final = {
    **dict(zip("αβγδεζηικλμνοπρστυφω", "avgdeziiklmnoprstyfo", strict=True)),
    **{"θ": "th", "ξ": "x", "χ": "ch", "ψ": "ps"},
    **{"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"},
    **dict(zip("абвгдезийклмнопрстуфыэіґ", "abvgdeziyklmnoprstufyeig", strict=True)),
    **{
        "ё": "yo",
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ю": "yu",
        "я": "ya",
        "є": "ye",
        "ї": "yi",
    },
    **{"ь": "", "ъ": ""},
}
# Devanagari writes syllables: a consonant carries an `a` unless a vowel sign or the virama follows.
_CONSONANTS: Final = dict(
    zip(
        "कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह",
        [
            "k",
            "kh",
            "g",
            "gh",
            "ng",
            "ch",
            "chh",
            "j",
            "jh",
            "ny",
            "t",
            "th",
            "d",
            "dh",
            "n",
            "t",
            "th",
            "d",
            "dh",
            "n",
            "p",
            "ph",
            "b",
            "bh",
            "m",
            "y",
            "r",
            "l",
            "v",
            "sh",
            "sh",
            "s",
            "h",
        ],
        strict=True,
    )
)
_VOWELS: Final = dict(zip("अआइईउऊऋएऐओऔ", ["a", "aa", "i", "i", "u", "u", "ri", "e", "ai", "o", "au"], strict=True))
_VOWEL_SIGNS: Final = dict(zip("ािीुूृेैोौ्", ["aa", "i", "i", "u", "u", "ri", "e", "ai", "o", "au", ""], strict=True))
_SIGNS: Final = {"ं": "n", "ँ": "n", "ः": "h", **dict(zip("०१२३४५६७८९", "0123456789", strict=True))}
_INSIDE: Final = frozenset([*_CONSONANTS, *_VOWELS, "ं", "ँ", "ः"])


def slug_of(text: str) -> str:
    """`text` as a part of an address: Latin letters, digits and hyphens; `` if nothing of it can be written so.

    Latin loses its accents; Greek, Cyrillic and Devanagari are spelled out. At most `SLUG_LENGTH_MAX` characters.
    """
    plain = unicodedata.normalize("NFC", text).casefold()
    latin = _spelled(_syllables(_without_accents(plain)))
    words = re.findall("[a-z0-9]+", latin.replace("'", "").replace("’", ""))
    return "-".join(words)[:SLUG_LENGTH_MAX].strip("-")


class Wish(NamedTuple):
    """A slug or SKU that should be free: sent, at a JSON pointer; or made here, and then there is another to fall
    back on.

    `kind` is slug, sku (a product's) or variant_sku.
    """

    kind: str
    value: str
    pointer: str = ""
    otherwise: str | None = None


def slug_wish(sent: str | None, title: str, product_id: str) -> Wish:
    """The slug of a product. One that we make falls back on the end of its id."""
    if sent is not None:
        return Wish("slug", sent, "/slug")
    slug, tail = slug_of(title), product_id[-TAIL_LENGTH:]
    return Wish("slug", slug, otherwise=f"{slug}-{tail}") if slug else Wish("slug", f"product-{tail}")


def sku_wish(variant: Mapping[str, Any], pointer: str, *, slug: str, suffix: str) -> Wish:
    """The SKU of a variant. One that we make is its product's `slug` and a `suffix` (of `sku_suffix`), in capitals."""
    if variant["sku"] is not None:
        return Wish("variant_sku", variant["sku"], pointer)
    made = sku_base(slug) + suffix
    return Wish("variant_sku", made, otherwise=f"{made}-{variant['id'][-TAIL_LENGTH:]}".upper())


def sku_base(slug: str) -> str:
    return slug[:SLUG_LENGTH_MAX].upper()


def sku_suffix(size: str | None, otherwise: str) -> str:
    """The size, or `otherwise` if it has no letter or digit of ours, behind a hyphen; empty if neither is there."""
    suffix = slug_of(size or "")[:SUFFIX_LENGTH_MAX].strip("-") or otherwise
    return f"-{suffix}".upper() if suffix else ""


def taken(rows: Iterable[Mapping[str, Any]], owner: str | None = None) -> set[tuple[str, str]]:
    """Kind and value of what somebody else than `owner` has."""
    return {(row["kind"], row["value"]) for row in rows if row["owner"] != owner}


def settled(wishes: Iterable[Wish], others: Container[tuple[str, str]]) -> list[Wish]:
    """The wishes with the values to use.

    Raises Refusal already_exists with a pointer for each value that others have, or that comes twice.
    """
    used: list[Wish] = []
    refused = []
    for wish in wishes:
        if (wish.kind, wish.value) in others or wish[:2] in [one[:2] for one in used]:
            if wish.otherwise is None:
                refused.append(wish.pointer)
            used.append(wish._replace(value=wish.otherwise or wish.value))
        else:
            used.append(wish)
    if refused:
        raise Refusal("already_exists", errors=[(pointer, "already_exists", {}) for pointer in dict.fromkeys(refused)])
    return used


def references(sent: Mapping[str, Any]) -> dict[str, str]:
    """The categories, collections and producer that a request names: their ids by JSON pointer."""
    lists = ("category_ids", "collection_ids")
    named = {f"/{name}/{index}": one for name in lists for index, one in enumerate(sent.get(name) or ())}
    return {**named, "/producer_id": sent["producer_id"]} if sent.get("producer_id") else named


def check_references(named: Mapping[str, str], live: Container[str]) -> None:
    """Raises Refusal missing_reference with a pointer for each id of `references` that is not `live`."""
    missing = [pointer for pointer, one in named.items() if one not in live]
    if missing:
        raise Refusal("missing_reference", errors=[(pointer, "missing_reference", {}) for pointer in missing])


def drafts(
    product: Mapping[str, Any], sent: Sequence[Mapping[str, Any]] | None, ids: Sequence[str]
) -> tuple[list[dict[str, Any]], list[Wish]]:
    """The variants of a new product and their wishes for SKUs; without `sent` ones a single one is made from the
    product.

    `product["sku"]` is then that variant's too. `ids` are at least as many as the variants.
    """
    listed = sent or [{"sku": product["sku"]}]
    variants = [new_variant(product, one, ids[index], is_primary=not index) for index, one in enumerate(listed)]
    wishes = []
    for index, one in enumerate(variants):
        pointer = f"/variants/{index}/sku" if sent else "/sku"
        suffix = sku_suffix(one["size"], str(index + 1) if index else "")
        wishes.append(sku_wish(one, pointer, slug=product["slug"], suffix=suffix))
    return variants, wishes


def new_variant(
    product: Mapping[str, Any], sent: Mapping[str, Any], variant_id: str, *, is_primary: bool
) -> dict[str, Any]:
    """A variant of `product` as it was sent; what was left out comes from the product, but for the SKU."""
    price = sent.get("price")
    compare_at_price = sent.get("compare_at_price", product["compare_at_price"] if price is None else None)
    size = sent.get("size")
    return {
        "id": variant_id,
        "product_id": product["id"],
        "sku": sent.get("sku"),
        "title": sent.get("title") or size or product["title"],
        "size": size,
        "attributes": sent.get("attributes", {}),
        "weight_grams": sent.get("weight_grams"),
        "price": product["price"] if price is None else price,
        "compare_at_price": compare_at_price,
        "is_primary": is_primary,
        "low_stock_threshold": sent.get("low_stock_threshold", LOW_STOCK),
    }


def variants_following(
    variants: Iterable[Mapping[str, Any]], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The variants when their product changes from `before` to `after`.

    A variant that bore the product's title, cost what it cost, or had its compare-at price still does; one that had
    its own keeps it. So a product and its only variant never drift apart, and a new price is one request.
    """
    return [
        {**variant, **{name: after[name] for name in FOLLOWING if variant[name] == before[name]}}
        for variant in variants
    ]


def prices_following(
    product: Mapping[str, Any], before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> dict[str, int | None]:
    """Price and compare-at price of the product when its variants change from `before` to `after`. Minor units.

    The other way round: a price that was the primary variant's goes on being it, whichever variant is primary now.
    """
    old, new = primary_of(before), primary_of(after)
    return {name: new[name] if product[name] == old[name] else product[name] for name in ("price", "compare_at_price")}


def primary_of(variants: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The primary variant; a product has exactly one."""
    return next(variant for variant in variants if variant["is_primary"])


def _without_accents(text: str) -> str:
    kept: list[str] = []
    base = " "
    for character in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(character):
            if unicodedata.name(base, "").startswith("CYRILLIC "):
                kept[-1] = unicodedata.normalize("NFC", kept[-1] + character)
            elif unicodedata.name(base, "").startswith("DEVANAGARI "):
                kept.append(character)
        else:
            base = character
            kept.append(character)
    return "".join(kept)


def _syllables(text: str) -> str:
    spelled: list[str] = []
    pending = False
    for character in text:
        if character in _VOWEL_SIGNS:
            spelled.append(_VOWEL_SIGNS[character])
            pending = False
            continue
        if character == "़":  # the nukta changes the consonant's sound, not its place
            continue
        if pending and character in _INSIDE:  # at a word's end the `a` is silent as a rule
            spelled.append("a")
        pending = character in _CONSONANTS
        spelled.append(_CONSONANTS.get(character) or _VOWELS.get(character) or _SIGNS.get(character) or character)
    return "".join(spelled)


def _spelled(text: str) -> str:
    for pair, letters in _PAIRS:
        text = re.sub(pair, letters, text)
    return "".join([_LETTERS.get(character, character) for character in text])

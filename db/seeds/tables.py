"""The tables of `demo/*.toml`, read into shapes that refuse a misspelt column."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

DIRECTORY: Final = Path(__file__).parent / "demo"
LOW_STOCK_DEFAULT: Final = 5

DEV_PRODUCTS: Final = (
    "early-harvest-olive-oil",
    "kalamon-olives",
    "mountain-tea",
    "green-olive-oil-soap",
    "wildflower-honey",
    "cut-comb-honey",
    "beeswax-tealights",
    "fresh-royal-jelly",
    "valley-mug",
    "hand-knit-cardigan",
)
"""The ten of the dev profile: with and without sizes, sold out, not for sale, and made to order."""
PROFILES: Final = ("dev", "demo", "prod")


@dataclass(frozen=True, slots=True)
class Producer:
    slug: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Category:
    """`parent` is a slug; a parent stands before its children."""

    slug: str
    name: str
    parent: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Collection:
    slug: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Prices in minor units (`was` is the one before), weight in grams, stock in pieces."""

    price: int
    stock: int
    grams: int
    size: str | None = None
    title: str | None = None
    was: int | None = None
    primary: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """`categories` and `collections` are slugs, the first category is the primary one; `low` is where stock is low."""

    slug: str
    title: str
    sku: str
    summary: str
    description: str
    categories: tuple[str, ...]
    producer: str
    position: int
    variants: tuple[Variant, ...]
    collections: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    policy: str = "TRACK"
    low: int = LOW_STOCK_DEFAULT

    @property
    def primary(self) -> Variant:
        return next(variant for variant in self.variants if variant.primary)


@dataclass(frozen=True, slots=True)
class Tables:
    """What a profile sells."""

    producers: tuple[Producer, ...] = ()
    categories: tuple[Category, ...] = ()
    collections: tuple[Collection, ...] = ()
    products: tuple[Product, ...] = ()


def tables(profile: str) -> Tables:
    """The tables of a profile: demo is all, dev ten products of it, prod nothing. Raises ValueError for another."""
    if profile not in PROFILES:
        raise ValueError(f"{profile!r} is no profile: {', '.join(PROFILES)}")
    if profile == "prod":
        return Tables()
    shop = _read("shop")
    producers = tuple(Producer(**row) for row in shop["producer"])
    products = tuple(product for name in ("grove", "apiary", "studio") for product in _products(_read(name), producers))
    if profile == "dev":
        products = tuple(product for product in products if product.slug in DEV_PRODUCTS)
    return Tables(
        producers,
        tuple(Category(**row) for row in shop["category"]),
        tuple(Collection(**row) for row in shop["collection"]),
        products,
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((DIRECTORY / f"{name}.toml").read_text(encoding="utf-8"))


def _products(table: dict[str, Any], producers: tuple[Producer, ...]) -> list[Product]:
    """The products of one producer's file; `position` takes one of each producer in turn, so that lists are mixed."""
    number = [producer.slug for producer in producers].index(table["producer"])
    found = []
    for count, row in enumerate(table["product"]):
        only = {name: row.pop(name) for name in ("price", "was", "stock", "grams", "size") if name in row}
        variants = [Variant(**one) for one in row.pop("variants", [])] or [Variant(**only, primary=True)]
        listed: dict[str, Any] = {name: tuple(row.pop(name, ())) for name in ("categories", "collections", "keywords")}
        found.append(
            Product(
                **row,
                **listed,
                producer=table["producer"],
                position=count * len(producers) + number,
                variants=tuple(variants),
            )
        )
    return found

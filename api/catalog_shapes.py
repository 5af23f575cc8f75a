"""The shapes of the catalog, shared by every endpoint that takes or answers a product or a variant."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from api.shapes import Amount, Attributes, Currency, Shape, Slug, Time, id_of
from domain.catalog import LOW_STOCK

ProductStatus = Literal["DRAFT", "ACTIVE", "ARCHIVED"]
InventoryPolicy = Literal["TRACK", "DENY", "CONTINUE"]
ProductKey = Annotated[str, Field(max_length=200, description="Id or slug.", examples=["thyme-honey"])]
ProductId = Annotated[str, *id_of("product").__metadata__]
VariantId = Annotated[str, *id_of("variant").__metadata__]
ProducerId = Annotated[str, *id_of("producer").__metadata__]
CategoryId = Annotated[str, *id_of("category").__metadata__]
CollectionId = Annotated[str, *id_of("collection").__metadata__]
Price = Annotated[int, Field(ge=0, description="Minor units of the currency (1299 = 12.99 EUR).", examples=[1299])]
Available = Annotated[int, Field(ge=0, description="Pieces that can be sold now; expired holds count as free.")]

Title = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S", examples=["Thyme honey"])]
Sku = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^\S+( \S+)*$",
        description="Stock keeping unit, unique in the shop.",
        examples=["HONEY-500"],
    ),
]
Size = Annotated[str, Field(min_length=1, max_length=50, pattern=r"\S", examples=["500 g"])]
Weight = Annotated[int, Strict(), Field(ge=0, le=10**9, description="Grams.")]
Threshold = Annotated[
    int, Strict(), Field(ge=0, le=10**9, description="Pieces; stock at or below it is listed as low.")
]
Summary = Annotated[str, Field(max_length=1_000)]
Description = Annotated[str, Field(max_length=50_000)]
Keywords = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(max_length=50, description="Words that the product is also found by."),
]
CategoryIds = Annotated[list[CategoryId], Field(max_length=20, description="The first is the primary category.")]
CollectionIds = Annotated[list[CollectionId], Field(max_length=50)]


def absent() -> Any:
    """The default of a field of a PATCH that may be left out but not be null."""
    return None


class NewVariant(Shape):
    """A variant to be made. What is left out comes from its product."""

    sku: Sku | None = Field(default=None, description="Made from the product's slug if left out.")
    title: Title | None = Field(default=None, description="The size, or the product's title, if left out.")
    size: Size | None = None
    attributes: Attributes = Field(default={})
    weight_grams: Weight | None = None
    price: Amount | None = Field(default=None, description="Minor units; the product's if left out.")
    compare_at_price: Amount | None = Field(
        default=None, description="Minor units; the product's if both prices are left out."
    )
    low_stock_threshold: Threshold = LOW_STOCK


class Linked(Shape):
    """A collection that a product is in."""

    id: str
    name: str
    slug: str


class LinkedCategory(Linked):
    is_primary: bool = Field(description="Whether it is the product's primary category.")


class Medium(Shape):
    id: str
    type: Literal["IMAGE", "VIDEO", "DOCUMENT"]
    provider: Literal["S3", "CLOUDINARY", "LOCAL"]
    url: str
    mime_type: str
    width: int | None = Field(description="Pixels.")
    height: int | None = Field(description="Pixels.")
    alt: str
    caption: str
    sort_order: int
    is_primary: bool


class Variant(Shape):
    id: VariantId
    product_id: ProductId
    sku: str
    title: str
    size: str | None
    attributes: Attributes
    weight_grams: int | None
    price: Price
    compare_at_price: Price | None
    available: Available
    is_primary: bool = Field(description="Exactly one variant of a product is primary.")


class ProductBase(Shape):
    """What a product shows in a list as well as alone."""

    id: ProductId
    slug: Slug
    title: str
    status: ProductStatus
    price: Price
    compare_at_price: Price | None
    currency: Currency
    producer_id: str | None
    categories: list[LinkedCategory]
    collections: list[Linked]
    media: list[Medium]
    attributes: Attributes
    version: int = Field(ge=1)
    created_at: Time
    updated_at: Time


class ListedProduct(ProductBase):
    available: Available


class Product(ProductBase):
    description: str
    summary: str
    search_keywords: list[str]
    inventory_policy: InventoryPolicy
    variants: list[Variant]

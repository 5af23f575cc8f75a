"""What a shop has, as the model remembers it. Times are milliseconds since 1970."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from proof.memory import Memory


@dataclass
class Article:
    variant: str
    price: int
    policy: str
    stock: int = 0
    owed: int = 0


@dataclass
class Hold:
    id: str
    article: Article
    quantity: int
    expires: int
    cart: str | None
    status: str = "HELD"


@dataclass
class Item:
    """Of a cart or an order; `owed` of its pieces are still to come."""

    id: str
    article: Article
    quantity: int
    owed: int = 0


@dataclass
class Cart:
    id: str
    token: str
    expires: int
    items: list[Item]
    status: str = "ACTIVE"
    version: int = 1


@dataclass
class Order:
    id: str
    items: list[Item]
    total: int
    expires: int
    status: str = "PENDING"
    version: int = 1
    paid: int = 0


@dataclass
class Kept(Memory):
    """What was acknowledged, where some pieces are sold before they have come: those have not left the shelf."""

    articles: list[Article] = field(default_factory=list)

    def expected(self) -> dict[str, int]:
        left = Counter(super().expected())
        left.update({article.variant: article.owed for article in self.articles})
        return dict(left)

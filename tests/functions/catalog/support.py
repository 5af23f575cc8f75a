"""What the tests of the catalog stand on: rows of categories, collections and producers; products made by requests."""

from __future__ import annotations

from typing import Any

from tests.shop import Reply, Shop

SHARED_MEMBERS = {
    "id", "slug", "title", "status", "price", "compare_at_price", "currency", "producer_id", "categories",
    "collections", "media", "attributes", "version", "created_at", "updated_at",
}  # fmt: skip
LIST_MEMBERS = SHARED_MEMBERS | {"available"}
PRODUCT_MEMBERS = SHARED_MEMBERS | {"description", "summary", "search_keywords", "inventory_policy", "variants"}
VARIANT_MEMBERS = {
    "id", "product_id", "sku", "title", "size", "attributes", "weight_grams", "price", "compare_at_price",
    "available", "is_primary",
}  # fmt: skip


def category(shop: Shop, slug: str, parent: str | None = None, **more: Any) -> str:
    """A category under `parent`. Returns its id."""
    (made,) = shop.ids("category")
    times = {"created_at": shop.now, "updated_at": shop.now}
    above = shop.rows("SELECT path, level + 1 FROM categories WHERE id = ?", parent) if parent else [("/", 0)]
    ((path, level),) = above
    values = {"name": slug.title(), "slug": slug, "parent_id": parent, "level": level, "path": f"{path}{made}/"}
    shop.insert("categories", id=made, **{**values, **times, **more})
    return made


def collection(shop: Shop, slug: str, **more: Any) -> str:
    (made,) = shop.ids("collection")
    times = {"created_at": shop.now, "updated_at": shop.now}
    shop.insert("collections", id=made, **{"name": slug.title(), "slug": slug, **times, **more})
    return made


def producer(shop: Shop, slug: str, **more: Any) -> str:
    (made,) = shop.ids("producer")
    times = {"created_at": shop.now, "updated_at": shop.now}
    shop.insert("producers", id=made, **{"name": slug.title(), "slug": slug, **times, **more})
    return made


def create(shop: Shop, title: str = "Thyme honey", price: int = 1299, **body: Any) -> Reply:
    return shop.post("/products", {"title": title, "price": price, **body}, api_key=shop.admin)


def product(shop: Shop, title: str = "Thyme honey", price: int = 1299, *, status: str = "ACTIVE", **body: Any) -> Any:
    """A product made through POST /products: the body of the 201."""
    reply = create(shop, title, price, status=status, **body)
    assert reply.status == 201, reply.text
    return reply.body


def medium(shop: Shop, entity_id: str, *, entity: str = "product", **link: Any) -> str:
    (made,) = shop.ids("media")
    times = {"created_at": shop.now, "updated_at": shop.now}
    shop.insert(
        "media", id=made, asset_id=made, type="IMAGE", provider="LOCAL", url=f"/media/{made}.jpg",
        mime_type="image/jpeg", width=800, height=600, alt="A jar", **times,
    )  # fmt: skip
    shop.insert("media_links", media_id=made, entity=entity, entity_id=entity_id, **{**times, **link})
    return made


def hold(shop: Shop, variant: str, quantity: int, *, expires_in: int = 60) -> None:
    """A reservation of `quantity` pieces through the endpoint."""
    reply = shop.post(
        "/stock/reservations",
        {"variant_id": variant, "quantity": quantity, "expires_in": expires_in},
        api_key=shop.admin,
    )
    assert reply.status == 201, reply.text


def listed(shop: Shop, query: str = "") -> list[str]:
    """The titles of GET /products in their order."""
    reply = shop.get(f"/products?{query}" if query else "/products")
    assert reply.status == 200, reply.text
    return [item["title"] for item in reply.body["items"]]


def version_of(shop: Shop, product_id: str) -> int:
    return int(shop.one("SELECT version FROM products WHERE id = ?", product_id))

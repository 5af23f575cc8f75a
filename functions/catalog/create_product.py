"""POST /products: make a product with its variants, or change nothing.

Staff with `products:create`. Without `variants` the product gets one, made from itself: a product always has exactly
one primary variant, the first. Each begins with no stock; stock comes by adjustments. A slug or SKU that is not sent
is made, and evades those that exist. Two who want one slug or SKU at once: the unique indexes let one through, the
other runs again and is told what is taken.
"""

from mangum import Mangum
from pydantic import Field

from api import catalog_shapes as shapes
from api.call import Answer, Call, Told, dumps
from api.catalog_shapes import Product
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.problems import invalid
from api.shapes import Amount, Attributes, Currency, Shape, Slug
from db.sql import Sql
from db.statements import catalog
from db.statements.stock import LOCATION
from domain.catalog import (
    VARIANTS_MAX,
    Wish,
    check_references,
    drafts,
    references,
    settled,
    slug_wish,
    taken,
)
from domain.money import DIGITS
from domain.search import search_text


class CreateProductRequest(Shape):
    title: shapes.Title
    slug: Slug | None = Field(default=None, description="Made from the title if left out.")
    price: Amount
    compare_at_price: Amount | None = Field(default=None, description="Minor units; what it cost before.")
    currency: Currency | None = Field(default=None, description="The shop's if left out. It cannot be changed later.")
    description: shapes.Description = ""
    summary: shapes.Summary = ""
    status: shapes.ProductStatus = "DRAFT"
    inventory_policy: shapes.InventoryPolicy = "TRACK"
    producer_id: shapes.ProducerId | None = None
    sku: shapes.Sku | None = Field(
        default=None, description="The product's; its variant's too if no variants are sent."
    )
    search_keywords: shapes.Keywords = Field(default=[])
    attributes: Attributes = Field(default={})
    category_ids: shapes.CategoryIds = Field(default=[])
    collection_ids: shapes.CollectionIds = Field(default=[])
    variants: list[shapes.NewVariant] | None = Field(
        default=None, min_length=1, max_length=VARIANTS_MAX, description="The first is the primary one."
    )


ADD_PRODUCT = Sql("""
    INSERT INTO products (id, producer_id, slug, sku, title, summary, description, status, price, compare_at_price,
      currency, inventory_policy, search_keywords, attributes, created_at, updated_at)
    VALUES (:id, :producer_id, :slug, :sku, :title, :summary, :description, :status, :price, :compare_at_price,
      :currency, :inventory_policy, :search_keywords, :attributes, :now, :now)
""")
TOLD = telling(*catalog.PRODUCT_TOLD)


@endpoint(
    "POST /products",
    status=201,
    permission="products:create",
    idempotency="optional",
    errors=("already_exists", "missing_reference"),
)
async def create_product(request: CreateProductRequest, call: Call) -> Answer[Product]:
    now, location = call.now, {"location_id": LOCATION}
    product = request.model_dump(exclude={"variants", "category_ids", "collection_ids"})
    product |= {"id": call.id("product"), "currency": request.currency or call.settings.default_currency}
    slug = slug_wish(request.slug, request.title, product["id"])
    listed = [one.model_dump(exclude_unset=True) for one in request.variants or []]
    variants, wishes = drafts({**product, "slug": slug.value}, listed, call.ids("variant", len(listed) or 1))
    wishes += [slug, *([Wish("sku", request.sku, "/sku")] if request.sku else [])]
    if product["currency"] not in DIGITS:
        await call.judged()
        raise invalid("/currency", "currency")
    named = references(product | {"category_ids": request.category_ids, "collection_ids": request.collection_ids})
    ids = dumps(sorted(set(named.values())))
    live, others = await call.read(catalog.LIVE(ids=ids), catalog.TAKEN(wanted=dumps([one[:2] for one in wishes])))
    names = {row["id"]: row["name"] for row in live}
    check_references(named, names)
    wishes = settled(wishes, taken(others))
    for variant, wish in zip(variants, wishes, strict=False):
        variant["sku"] = wish.value
    product["slug"] = wishes[len(variants)].value

    made = {"product_id": product["id"], "now": now}
    words = search_text(product, variants, names.get(request.producer_id or ""))
    stored = {name: dumps(product[name]) for name in ("search_keywords", "attributes")}
    plan = [
        catalog.STILL_LIVE(ids=ids),
        catalog.STILL_FREE(wanted=dumps([one[:2] for one in wishes]), owner=None),
        ADD_PRODUCT(**{**product, **stored, "now": now}),
        catalog.ADD_VARIANTS(variants=dumps(variants), now=now),
        catalog.ADD_INVENTORY(variants=dumps(variants), now=now, **location),
        catalog.ADD_CATEGORIES(ids=dumps(list(dict.fromkeys(request.category_ids))), **made),
        catalog.ADD_COLLECTIONS(ids=dumps(list(dict.fromkeys(request.collection_ids))), **made),
        catalog.INDEX_PRODUCT(**words._asdict(), **made),
    ]
    listed = [{name: one[name] for name in ("id", "sku", "title", "price")} for one in variants]
    links = {"category_ids": request.category_ids, "collection_ids": request.collection_ids}
    call.audit("products:create", "products", product["id"], after={**product, **links, "variants": listed})
    told = Told(TOLD, {"product_id": product["id"], **location})
    return await call.commit(plan, Answer(told, location=f"/products/{product['id']}"))


handler = Mangum(create_product, lifespan="off", text_mime_types=TEXT)

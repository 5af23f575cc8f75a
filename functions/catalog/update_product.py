"""PATCH /products/{product}: change what is sent of a product, or change nothing. By id or slug.

Staff with `products:update`. What is left out stays; `category_ids` and `collection_ids` replace the whole list. A
variant that cost what the product cost, or bore its title, goes on doing so; one with a price or title of its own keeps
it. The currency stays, because an amount says nothing without it: 1299 is 12.99 EUR but 1299 JPY, and carts hold such
amounts. Make another product instead. `If-Match` decides between two who edit.
"""

import json
from typing import Any

from mangum import Mangum
from pydantic import Field

from api import catalog_shapes as shapes
from api.call import Answer, Call, Told, dumps
from api.catalog_shapes import Product, absent
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.shapes import Amount, Attributes, Shape, Slug
from db.sql import Sql, Statement
from db.statements import catalog
from db.statements.stock import LOCATION
from domain.catalog import Wish, check_references, references, settled, taken, variants_following
from domain.refusals import Refusal
from domain.search import search_text


class UpdateProductRequest(Shape):
    product: shapes.ProductKey
    title: shapes.Title = Field(default_factory=absent)
    slug: Slug = Field(default_factory=absent)
    price: Amount = Field(default_factory=absent)
    compare_at_price: Amount | None = Field(default=None, description="Minor units; null takes it away.")
    description: shapes.Description = Field(default_factory=absent)
    summary: shapes.Summary = Field(default_factory=absent)
    status: shapes.ProductStatus = Field(default_factory=absent)
    inventory_policy: shapes.InventoryPolicy = Field(default_factory=absent)
    producer_id: shapes.ProducerId | None = None
    sku: shapes.Sku | None = None
    search_keywords: shapes.Keywords = Field(default_factory=absent)
    attributes: Attributes = Field(default_factory=absent)
    category_ids: shapes.CategoryIds = Field(default_factory=absent)
    collection_ids: shapes.CollectionIds = Field(default_factory=absent)


CHANGE = Sql(
    """
    UPDATE products SET slug = :slug, sku = :sku, title = :title, summary = :summary, description = :description,
      status = :status, inventory_policy = :inventory_policy, search_keywords = :search_keywords,
      attributes = :attributes, producer_id = :producer_id, price = :price, compare_at_price = :compare_at_price,
      version = version + 1, updated_at = :now
    WHERE id = :id
    """,
    "products.pk",
)
VARIANTS_FOLLOW = Sql(
    """
    UPDATE variants SET title = l.value ->> 'title', price = l.value ->> 'price',
      compare_at_price = l.value ->> 'compare_at_price', updated_at = :now
    FROM json_each(:variants) l WHERE variants.id = l.value ->> 'id'
    """,
    "variants.pk",
)
TOLD = telling(*catalog.PRODUCT_TOLD)
INDEXED = frozenset({"title", "summary", "search_keywords", "producer_id"})


@endpoint(
    "PATCH /products/{product}",
    permission="products:update",
    if_match="required",
    errors=("already_exists", "missing_reference"),
)
async def update_product(request: UpdateProductRequest, call: Call) -> Answer[Product]:
    sent = request.model_dump(exclude_unset=True, exclude={"product"})
    wishes = [Wish(name, sent[name], f"/{name}") for name in ("slug", "sku") if sent.get(name)]
    wanted = dumps([one[:2] for one in wishes])
    named = references(sent)
    ids = dumps(sorted(set(named.values())))
    found, live, others = await call.read(
        catalog.TO_CHANGE(product=request.product), catalog.LIVE(ids=ids), catalog.TAKEN(wanted=wanted)
    )
    if not found:
        raise Refusal("not_found")
    (before,) = found
    call.match(before["version"])
    names = {row["id"]: row["name"] for row in live}
    check_references(named, names)
    settled(wishes, taken(others, before["id"]))
    guards = [
        catalog.AS_READ(id=before["id"], version=before["version"]),
        catalog.STILL_LIVE(ids=ids),
        catalog.STILL_FREE(wanted=wanted, owner=before["id"]),
    ]
    plan = [*guards, *(_changes(before, sent, names, call) if sent else [])]
    return await call.commit(plan, Answer(Told(TOLD, {"product_id": before["id"], "location_id": LOCATION})))


def _changes(before: dict[str, Any], sent: dict[str, Any], names: dict[str, str], call: Call) -> list[Statement]:
    """What is written. `names` has the producer's, if the request names one."""
    call.audit_changes("products:update", "products", before["id"], before, sent)
    after, variants = {**before, **sent}, json.loads(before["variants"])
    followed = variants_following(variants, before, after)
    columns = {name: after[name] for name in CHANGE.names if name != "now"}
    columns |= {name: dumps(sent[name]) for name in ("search_keywords", "attributes") if name in sent}
    plan = [CHANGE(**columns, now=call.now)]
    if followed != variants:
        plan.append(VARIANTS_FOLLOW(variants=dumps(followed), now=call.now))
    made = {"product_id": before["id"], "now": call.now}
    for name, forget, add in catalog.LINKS:
        if name in sent:
            plan += [forget(product_id=before["id"]), add(ids=dumps(list(dict.fromkeys(sent[name]))), **made)]
    if INDEXED & sent.keys():
        producer = names.get(after["producer_id"]) if "producer_id" in sent else before["producer_name"]
        plan.append(catalog.INDEX_PRODUCT(**search_text(after, followed, producer)._asdict(), **made))
    return plan


handler = Mangum(update_product, lifespan="off", text_mime_types=TEXT)

"""POST /products/{product}/variants: give a product another variant, or change nothing.

Staff with `products:update`. The variant begins with no stock. `is_primary` takes the mark from the variant that has
it. The version is the product's, which every change of a variant counts up; without `If-Match` the variant is added
to whatever the product is by then.
"""

import json

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call, Told, dumps
from api.catalog_shapes import NewVariant, ProductKey, Variant
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.problems import invalid
from api.shapes import Flag
from db.sql import Sql
from db.statements import catalog
from db.statements.stock import LOCATION
from domain.catalog import (
    SLUG_LENGTH_MAX,
    TAIL_LENGTH,
    VARIANTS_MAX,
    new_variant,
    prices_following,
    settled,
    sku_suffix,
    sku_wish,
    taken,
)
from domain.refusals import Refusal
from domain.search import search_text


class CreateVariantRequest(NewVariant):
    product: ProductKey
    is_primary: Flag = Field(default=False, description="Whether it becomes the product's primary variant.")


# Who has the SKU that we would make: it begins with the product's slug, which only the database knows yet.
MADE_SKU_TAKEN = Sql(
    """
    SELECT 'variant_sku' AS kind, v.sku AS value, v.id AS owner
    FROM live_products p CROSS JOIN live_variants v ON v.sku = upper(substr(p.slug, 1, :length)) || :suffix
    WHERE p.id = coalesce((SELECT id FROM live_products WHERE slug = :product), :product)
    """,
    "products_slug_once",
    "products.pk",
    "variants_sku_once",
)
TOLD = telling(*catalog.VARIANT_TOLD)


@endpoint(
    "POST /products/{product}/variants",
    status=201,
    permission="products:update",
    idempotency="optional",
    if_match="optional",
    errors=("already_exists",),
)
async def create_variant(request: CreateVariantRequest, call: Call) -> Answer[Variant]:
    now, variant_id = call.now, call.id("variant")
    suffix = sku_suffix(request.size, variant_id[-TAIL_LENGTH:])
    found, explicit, made = await call.read(
        catalog.TO_CHANGE(product=request.product),
        catalog.TAKEN(wanted=dumps([["variant_sku", request.sku]] if request.sku else [])),
        MADE_SKU_TAKEN(product=request.product, suffix=suffix, length=SLUG_LENGTH_MAX),
    )
    if not found:
        raise Refusal("not_found")
    (product,) = found
    call.match(product["version"])
    before = json.loads(product["variants"])
    if len(before) >= VARIANTS_MAX:
        raise invalid("", "too_long", max_length=VARIANTS_MAX)
    variant = new_variant(product, request.model_dump(exclude_unset=True), variant_id, is_primary=request.is_primary)
    (wish,) = settled([sku_wish(variant, "/sku", slug=product["slug"], suffix=suffix)], taken(explicit + made))
    variant["sku"] = wish.value
    after = [{**one, "is_primary": one["is_primary"] and not request.is_primary} for one in before] + [variant]

    plan = [
        catalog.AS_READ(id=product["id"], version=product["version"]),
        catalog.STILL_FREE(wanted=dumps([wish[:2]]), owner=None),
        *([catalog.NO_PRIMARY(product_id=product["id"], now=now)] if request.is_primary else []),
        catalog.ADD_VARIANTS(variants=dumps([variant]), now=now),
        catalog.ADD_INVENTORY(variants=dumps([variant]), location_id=LOCATION, now=now),
        *catalog.variants_changed(
            product["id"],
            prices_following(product, before, after),
            search_text(product, after, product["producer_name"]),
            now,
        ),
    ]
    call.audit("products:update", "variants", variant_id, after=variant)
    told = Told(TOLD, {"variant_id": variant_id, "location_id": LOCATION})
    return await call.commit(plan, Answer(told, location=f"/variants/{variant_id}"))


handler = Mangum(create_variant, lifespan="off", text_mime_types=TEXT)

"""PATCH /variants/{variant}: change what is sent of a variant, or change nothing.

Staff with `products:update`. What is left out stays. `is_primary` true takes the mark from the variant that has it;
it is not taken away by false, because a product always has exactly one primary variant. A price that the product had
from its primary variant follows it. The version is the product's: `If-Match` decides between two who edit the product
or any of its variants.
"""

import json

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call, Told, dumps
from api.catalog_shapes import Size, Sku, Threshold, Title, Variant, VariantId, Weight, absent
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.shapes import Amount, Attributes, Flag, Shape
from db.sql import Sql
from db.statements import catalog
from db.statements.stock import LOCATION
from domain.catalog import Wish, prices_following, settled, taken
from domain.refusals import Refusal
from domain.search import search_text


class UpdateVariantRequest(Shape):
    variant: VariantId
    sku: Sku = Field(default_factory=absent)
    title: Title = Field(default_factory=absent)
    size: Size | None = None
    attributes: Attributes = Field(default_factory=absent)
    weight_grams: Weight | None = None
    price: Amount = Field(default_factory=absent)
    compare_at_price: Amount | None = Field(default=None, description="Minor units; null takes it away.")
    is_primary: Flag = Field(default_factory=absent)
    low_stock_threshold: Threshold = Field(default_factory=absent)


VARIANT = Sql(
    """
    SELECT id, sku, title, size, attributes, weight_grams, price, compare_at_price, is_primary
    FROM live_variants WHERE id = :variant_id
    """,
    "variants.pk",
)
CHANGE = Sql(
    """
    UPDATE variants SET sku = :sku, title = :title, size = :size, attributes = :attributes,
      weight_grams = :weight_grams, price = :price, compare_at_price = :compare_at_price, is_primary = :is_primary,
      updated_at = :now
    WHERE id = :id
    """,
    "variants.pk",
)
# :threshold null leaves it.
CHANGE_THRESHOLD = Sql(
    """
    UPDATE inventory SET low_stock_threshold = :threshold, updated_at = :now
    WHERE variant_id = :variant_id AND location_id = :location_id AND :threshold IS NOT NULL
    """,
    "inventory.pk",
)
TOLD = telling(*catalog.VARIANT_TOLD)


@endpoint(
    "PATCH /variants/{variant}",
    permission="products:update",
    if_match="required",
    errors=("already_exists", "primary_variant_required"),
)
async def update_variant(request: UpdateVariantRequest, call: Call) -> Answer[Variant]:
    sent = request.model_dump(exclude_unset=True, exclude={"variant"})
    here, now = {"variant_id": request.variant}, call.now
    wishes = [Wish("variant_sku", request.sku, "/sku")] if "sku" in sent else []
    wanted = dumps([one[:2] for one in wishes])
    products, variants, others = await call.read(
        catalog.OF_VARIANT_TO_CHANGE(**here), VARIANT(**here), catalog.TAKEN(wanted=wanted)
    )
    if not products:
        raise Refusal("not_found")
    (product,), (variant,) = products, variants
    call.match(product["version"])
    if variant["is_primary"] and sent.get("is_primary") is False:
        raise Refusal("primary_variant_required")
    settled(wishes, taken(others, request.variant))

    told = Answer[Variant](Told(TOLD, {**here, "location_id": LOCATION}))
    if not sent:
        return await call.commit([catalog.AS_READ(id=product["id"], version=product["version"])], told)
    changed = {**variant, **sent}
    threshold = changed.pop("low_stock_threshold", None)
    attributes = dumps(sent["attributes"]) if "attributes" in sent else variant["attributes"]
    before = json.loads(product["variants"])
    others_primary = {} if not sent.get("is_primary") else {"is_primary": False}
    after = [changed if one["id"] == variant["id"] else {**one, **others_primary} for one in before]
    words = search_text(product, after, product["producer_name"])
    plan = [
        catalog.AS_READ(id=product["id"], version=product["version"]),
        catalog.STILL_FREE(wanted=wanted, owner=request.variant),
        *([catalog.NO_PRIMARY(product_id=product["id"], now=now)] if sent.get("is_primary") else []),
        CHANGE(**{**changed, "attributes": attributes}, now=now),
        CHANGE_THRESHOLD(**here, location_id=LOCATION, threshold=threshold, now=now),
        *catalog.variants_changed(product["id"], prices_following(product, before, after), words, now),
    ]
    call.audit_changes("products:update", "variants", request.variant, variant, sent)
    return await call.commit(plan, told)


handler = Mangum(update_variant, lifespan="off", text_mime_types=TEXT)

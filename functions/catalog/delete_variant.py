"""DELETE /variants/{variant}: take a variant out of the shop, or change nothing.

Staff with `products:delete`. The primary variant stays as long as its product: give the mark to another one first, or
delete the product. A variant that was ever ordered stays. Stock and holds do not stand in the way, as with a product:
the stock row and its moves stay in the books, the SKU is free again, and a checkout that names the variant is
refused. `If-Match` is the product's version, which this counts up.
"""

import json

from mangum import Mangum

from api.call import Answer, Call
from api.catalog_shapes import VariantId
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import catalog
from domain.catalog import primary_of
from domain.refusals import Refusal
from domain.search import search_text


class DeleteVariantRequest(Shape):
    variant: VariantId


DELETE = Sql("UPDATE variants SET deleted_at = :now, updated_at = :now WHERE id = :variant_id", "variants.pk")


@endpoint(
    "DELETE /variants/{variant}",
    status=204,
    permission="products:delete",
    if_match="required",
    errors=("primary_variant_required", "variant_ordered"),
)
async def delete_variant(request: DeleteVariantRequest, call: Call) -> Answer[None]:
    (found,) = await call.read(catalog.OF_VARIANT_TO_CHANGE(variant_id=request.variant))
    if not found:
        raise Refusal("not_found")
    (product,) = found
    call.match(product["version"])
    variants = json.loads(product["variants"])
    if primary_of(variants)["id"] == request.variant:
        raise Refusal("primary_variant_required")
    left = [one for one in variants if one["id"] != request.variant]
    prices = {name: product[name] for name in ("price", "compare_at_price")}
    plan = [
        catalog.AS_READ(id=product["id"], version=product["version"]),
        catalog.VARIANT_NOT_ORDERED(variant_id=request.variant),
        DELETE(variant_id=request.variant, now=call.now),
        *catalog.variants_changed(
            product["id"], prices, search_text(product, left, product["producer_name"]), call.now
        ),
    ]
    (gone,) = (one for one in variants if one["id"] == request.variant)
    call.audit("products:delete", "variants", request.variant, before={**gone, "product_id": product["id"]})
    return await call.commit(plan, Answer(None))


handler = Mangum(delete_variant, lifespan="off", text_mime_types=TEXT)

"""DELETE /products/{product}: take a product out of the shop, or change nothing. By id or slug.

Staff with `products:delete`. The product and its variants are marked deleted, its links to categories, collections
and media go out of sight with it, and its slug and SKUs are free again. A product that was ever ordered stays:
archive it instead (`status` ARCHIVED). Stock and holds do not stand in the way, because what must be off the shelf
today must not wait for somebody's cart: their rows and moves stay in the books, and a checkout that names the product
is refused. If it is ordered at the same time, either the order or the deletion comes first, and the other is refused.
"""

from mangum import Mangum

from api.call import Answer, Call
from api.catalog_shapes import ProductKey
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.sql import Sql
from db.statements import catalog
from domain.refusals import Refusal


class DeleteProductRequest(Shape):
    product: ProductKey


DELETE_VARIANTS = Sql(
    "UPDATE variants SET deleted_at = :now, updated_at = :now WHERE product_id = :product_id AND deleted_at IS NULL",
    "variants_by_product",
)
DELETE_PRODUCT = Sql(
    "UPDATE products SET deleted_at = :now, version = version + 1, updated_at = :now WHERE id = :product_id",
    "products.pk",
)
FORGET_WORDS = Sql(
    "DELETE FROM product_search_texts WHERE product_id = :product_id", "product_search_texts_product_once"
)


@endpoint(
    "DELETE /products/{product}",
    status=204,
    permission="products:delete",
    if_match="required",
    errors=("product_ordered",),
)
async def delete_product(request: DeleteProductRequest, call: Call) -> Answer[None]:
    (found,) = await call.read(catalog.TO_CHANGE(product=request.product))
    if not found:
        raise Refusal("not_found")
    product_id, version = found[0]["id"], found[0]["version"]
    call.match(version)
    plan = [
        catalog.AS_READ(id=product_id, version=version),
        catalog.PRODUCT_NOT_ORDERED(product_id=product_id),
        DELETE_VARIANTS(product_id=product_id, now=call.now),
        DELETE_PRODUCT(product_id=product_id, now=call.now),
        FORGET_WORDS(product_id=product_id),
    ]
    gone = {name: found[0][name] for name in ("slug", "sku", "title", "status", "price", "version")}
    call.audit("products:delete", "products", product_id, before=gone)
    return await call.commit(plan, Answer(None))


handler = Mangum(delete_product, lifespan="off", text_mime_types=TEXT)

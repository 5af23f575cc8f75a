"""GET /products/{product}: one product by id or slug, with its variants and what can be sold of each. Changes nothing.

Anyone may see an ACTIVE product; a DRAFT or ARCHIVED one is shown to an API key with products:read and is not there for
anybody else, nor are the collections that are not ACTIVE.
"""

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.catalog_shapes import Product, ProductKey
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements import catalog
from db.statements.stock import LOCATION
from domain.refusals import Refusal


class ViewProductRequest(Shape):
    product: ProductKey


@endpoint("GET /products/{product}", permission=PUBLIC, replica=True)
async def view_product(request: ViewProductRequest, call: Call) -> Answer[Product]:
    (found,) = await call.read(catalog.VIEW(product=request.product, location_id=LOCATION, now=call.now))
    is_staff = call.actor.may("products:read")
    if not found or (found[0]["status"] != "ACTIVE" and not is_staff):
        raise Refusal("not_found")
    row = found[0]
    collections = row["all_collections"] if is_staff else row["collections"]
    return Answer(f'{row["document"][:-1]},"collections":{collections}}}', version=row["version"])


handler = Mangum(view_product, lifespan="off", text_mime_types=TEXT)

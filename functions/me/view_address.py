"""GET /me/addresses/{address}: one address. Changes nothing. Its owner; to anybody else it is not there."""

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import Key, SavedAddress
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements.belongings import FIND_ADDRESS
from domain.refusals import Refusal


class ViewAddressRequest(Shape):
    address: Key


@endpoint("GET /me/addresses/{address}", permission=PERSON, errors=("not_found",))
async def view_address(request: ViewAddressRequest, call: Call) -> Answer[SavedAddress]:
    [found] = await call.read(FIND_ADDRESS(id=request.address, user_id=call.user_id))
    if not found:
        raise Refusal("not_found")
    return Answer(found[0]["item"])


handler = Mangum(view_address, lifespan="off", text_mime_types=TEXT)

"""DELETE /me/addresses/{address}: forget an address, or change nothing.

Its owner; to anybody else it is not there. Of two at once one deletes it, for the other it is not there any more.
"""

import json

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import Key
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements.belongings import ADDRESS_AS_READ, FIND_ADDRESS, REMOVE_ADDRESS
from domain.refusals import Refusal


class DeleteAddressRequest(Shape):
    address: Key


@endpoint("DELETE /me/addresses/{address}", status=204, permission=PERSON, errors=("not_found",))
async def delete_address(request: DeleteAddressRequest, call: Call) -> Answer[None]:
    own = {"id": request.address, "user_id": call.user_id}
    [found] = await call.read(FIND_ADDRESS(**own))
    if not found:
        raise Refusal("not_found")
    seen = json.loads(found[0]["item"])["updated_at"]
    return await call.commit([ADDRESS_AS_READ(**own, updated_at=seen), REMOVE_ADDRESS(**own)], Answer(None))


handler = Mangum(delete_address, lifespan="off", text_mime_types=TEXT)

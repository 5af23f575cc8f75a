"""PATCH /me/addresses/{address}: change an address, or change nothing.

Its owner; to anybody else it is not there. Only what is sent changes. As the default it takes the mark from the one
before in the same batch. Changed meanwhile, the line runs again.
"""

import json

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import (
    City,
    Country,
    FullName,
    IsDefault,
    Key,
    Label,
    Line1,
    Line2,
    PostalCode,
    SavedAddress,
    State,
)
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.shapes import Phone, Shape
from db.statements.belongings import ADDRESS_AS_READ, CHANGE_ADDRESS, FIND_ADDRESS, UNMARK_ADDRESS
from domain.refusals import Refusal


class UpdateAddressRequest(Shape):
    address: Key
    label: Label = ""
    full_name: FullName = ""
    phone: Phone | None = None
    line1: Line1 = ""
    line2: Line2 | None = None
    city: City = ""
    state: State | None = None
    postal_code: PostalCode | None = None
    country: Country = ""
    is_default: IsDefault = False


@endpoint("PATCH /me/addresses/{address}", permission=PERSON, errors=("not_found",))
async def update_address(request: UpdateAddressRequest, call: Call) -> Answer[SavedAddress]:
    own = {"id": request.address, "user_id": call.user_id}
    [found] = await call.read(FIND_ADDRESS(**own))
    if not found:
        raise Refusal("not_found")
    before = json.loads(found[0]["item"])
    changes = request.model_dump(include=request.model_fields_set - {"address"})
    if not changes:
        return Answer(before)
    plan = [
        ADDRESS_AS_READ(**own, updated_at=before["updated_at"]),
        *([UNMARK_ADDRESS(**own, now=call.now)] if request.is_default else []),
        CHANGE_ADDRESS(**own, changes=dumps(changes), now=call.now),
    ]
    return await call.commit(plan, Answer({**before, **changes, "updated_at": call.now}))


handler = Mangum(update_address, lifespan="off", text_mime_types=TEXT)

"""POST /me/addresses: keep an address, or change nothing.

Whoever has logged in. As the default it takes the mark from the one before in the same batch; of two at once the later
one is the default.
"""

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import NewAddress, SavedAddress
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from db.statements.belongings import ADD_ADDRESS, UNMARK_ADDRESS


class CreateAddressRequest(NewAddress):
    """An address."""


@endpoint("POST /me/addresses", status=201, permission=PERSON, idempotency="optional")
async def create_address(request: CreateAddressRequest, call: Call) -> Answer[SavedAddress]:
    await call.judged()
    given, own = request.model_dump(), {"id": call.id("address"), "user_id": call.actor.user_id}
    plan = [
        *([UNMARK_ADDRESS(**own, now=call.now)] if request.is_default else []),
        ADD_ADDRESS(**own, values=dumps(given), now=call.now),
    ]
    answer = {"id": own["id"], **given, "created_at": call.now, "updated_at": call.now}
    return await call.commit(plan, Answer(answer, location=f"/me/addresses/{own['id']}"))


handler = Mangum(create_address, lifespan="off", text_mime_types=TEXT)

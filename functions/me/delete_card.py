"""DELETE /me/cards/{card}: forget a card by its token, or change nothing.

Its owner; to anybody else it is not there. Of two at once one deletes it, for the other it is not there any more.
"""

import json

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import Key
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements.belongings import CARD_AS_READ, FIND_CARD, REMOVE_CARD
from domain.refusals import Refusal


class DeleteCardRequest(Shape):
    card: Key


@endpoint("DELETE /me/cards/{card}", status=204, permission=PERSON, errors=("not_found",))
async def delete_card(request: DeleteCardRequest, call: Call) -> Answer[None]:
    own = {"id": request.card, "user_id": call.user_id}
    [found] = await call.read(FIND_CARD(**own))
    if not found:
        raise Refusal("not_found")
    seen = json.loads(found[0]["item"])["updated_at"]
    return await call.commit([CARD_AS_READ(**own, updated_at=seen), REMOVE_CARD(**own)], Answer(None))


handler = Mangum(delete_card, lifespan="off", text_mime_types=TEXT)

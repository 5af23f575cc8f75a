"""PATCH /me/cards/{card}: change a card by its token, or change nothing.

Its owner; to anybody else it is not there. Only what is sent changes. As the default it takes the mark from the one
before in the same batch. Changed meanwhile, the line runs again.
"""

import json

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import Alias, Holder, IsDefault, Key, Month, SavedCard, Year
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from api.shapes import Shape
from db.statements.belongings import CARD_AS_READ, CHANGE_CARD, FIND_CARD, UNMARK_CARD
from domain.refusals import Refusal


class UpdateCardRequest(Shape):
    card: Key
    card_alias: Alias = ""
    card_holder_name: Holder = ""
    expiry_month: Month = 1
    expiry_year: Year = 2000
    is_default: IsDefault = False


@endpoint("PATCH /me/cards/{card}", permission=PERSON, errors=("not_found",))
async def update_card(request: UpdateCardRequest, call: Call) -> Answer[SavedCard]:
    own = {"id": request.card, "user_id": call.user_id}
    [found] = await call.read(FIND_CARD(**own))
    if not found:
        raise Refusal("not_found")
    before = json.loads(found[0]["item"])
    changes = request.model_dump(include=request.model_fields_set - {"card"})
    if not changes:
        return Answer(before)
    plan = [
        CARD_AS_READ(**own, updated_at=before["updated_at"]),
        *([UNMARK_CARD(**own, now=call.now)] if request.is_default else []),
        CHANGE_CARD(**own, changes=dumps(changes), now=call.now),
    ]
    return await call.commit(plan, Answer({**before, **changes, "updated_at": call.now}))


handler = Mangum(update_card, lifespan="off", text_mime_types=TEXT)

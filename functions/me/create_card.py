"""POST /me/cards: keep a card by its token, or change nothing.

Whoever has logged in. As the default it takes the mark from the one before in the same batch; of two at once the later
one is the default.
"""

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import CardFacts, CardToken, SavedCard
from api.call import Answer, Call, dumps
from api.endpoint import TEXT, endpoint
from db.statements.belongings import ADD_CARD, UNMARK_CARD


class CreateCardRequest(CardFacts):
    card_token: CardToken


@endpoint("POST /me/cards", status=201, permission=PERSON, idempotency="optional", errors=("already_exists",))
async def create_card(request: CreateCardRequest, call: Call) -> Answer[SavedCard]:
    await call.judged()
    given, own = request.model_dump(), {"id": call.id("card"), "user_id": call.actor.user_id}
    plan = [
        *([UNMARK_CARD(**own, now=call.now)] if request.is_default else []),
        ADD_CARD(**own, values=dumps(given), now=call.now),
    ]
    given.pop("card_token")
    answer = {"id": own["id"], **given, "created_at": call.now, "updated_at": call.now}
    return await call.commit(plan, Answer(answer, location=f"/me/cards/{own['id']}"))


handler = Mangum(create_card, lifespan="off", text_mime_types=TEXT)

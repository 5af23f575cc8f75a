"""GET /me/cards: the cards of whoever has logged in, the oldest first. Changes nothing."""

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import SavedCard
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest
from db.statements.belongings import LIST_CARDS


class ListCardsRequest(PageRequest):
    """Nothing more."""


@endpoint("GET /me/cards", permission=PERSON)
async def list_cards(request: ListCardsRequest, call: Call) -> Answer[Page[SavedCard]]:
    [after] = call.after(request, "id") or [""]
    [rows] = await call.read(LIST_CARDS(user_id=call.user_id, after=after, count=request.limit + 1))
    return call.page(request, rows, ("id",), "id")


handler = Mangum(list_cards, lifespan="off", text_mime_types=TEXT)

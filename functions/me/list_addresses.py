"""GET /me/addresses: the addresses of whoever has logged in, the oldest first. Changes nothing."""

from mangum import Mangum

from api.auth import PERSON
from api.belonging_shapes import SavedAddress
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Page, PageRequest
from db.statements.belongings import LIST_ADDRESSES


class ListAddressesRequest(PageRequest):
    """Nothing more."""


@endpoint("GET /me/addresses", permission=PERSON)
async def list_addresses(request: ListAddressesRequest, call: Call) -> Answer[Page[SavedAddress]]:
    [after] = call.after(request, "id") or [""]
    [rows] = await call.read(LIST_ADDRESSES(user_id=call.user_id, after=after, count=request.limit + 1))
    return call.page(request, rows, ("id",), "id")


handler = Mangum(list_addresses, lifespan="off", text_mime_types=TEXT)

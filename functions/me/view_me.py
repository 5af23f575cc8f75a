"""GET /me: who has logged in, with roles and effective permissions. Changes nothing. Whoever has logged in."""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.people_shapes import Person
from api.shapes import Shape
from db.sql import Sql
from db.statements import people


class ViewMeRequest(Shape):
    """Nothing."""


ME = Sql(f"SELECT {people.PERSON} AS item FROM live_users u WHERE u.id = :user_id", "users.pk", *people.PERSON_INDEXES)


@endpoint("GET /me", permission=PERSON)
async def view_me(request: ViewMeRequest, call: Call) -> Answer[Person]:
    [found] = await call.read(ME(user_id=call.user_id))
    return Answer(found[0]["item"])


handler = Mangum(view_me, lifespan="off", text_mime_types=TEXT)

"""GET /users/{user}: one user, with roles and effective permissions. Changes nothing. Staff with `users:read`."""

from mangum import Mangum

from api.access import UserKey
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.people_shapes import Person
from api.shapes import Shape
from db.sql import Sql
from db.statements import people
from domain.refusals import Refusal


class ViewUserRequest(Shape):
    user: UserKey


VIEW = Sql(
    f"SELECT {people.PERSON} AS item FROM live_users u WHERE u.id = :user_id", "users.pk", *people.PERSON_INDEXES
)


@endpoint("GET /users/{user}", permission="users:read", errors=("not_found",))
async def view_user(request: ViewUserRequest, call: Call) -> Answer[Person]:
    [found] = await call.read(VIEW(user_id=request.user))
    if not found:
        raise Refusal("not_found")
    return Answer(found[0]["item"])


handler = Mangum(view_user, lifespan="off", text_mime_types=TEXT)

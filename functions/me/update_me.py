"""PATCH /me: change names and phone, or change nothing.

Whoever has logged in. Only what is sent changes; null takes a value away. Of two at once each changes what it names.
"""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call, Told, dumps
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.people_shapes import Name, Person
from api.shapes import Phone, Shape
from db.sql import Sql, Value
from db.statements import people


class UpdateMeRequest(Shape):
    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None


CHANGE = Sql(
    """
    UPDATE users SET updated_at = :now,
      first_name = CASE WHEN json_type(:changes, '$.first_name') IS NULL THEN first_name
        ELSE :changes ->> 'first_name' END,
      last_name = CASE WHEN json_type(:changes, '$.last_name') IS NULL THEN last_name
        ELSE :changes ->> 'last_name' END,
      phone = CASE WHEN json_type(:changes, '$.phone') IS NULL THEN phone ELSE :changes ->> 'phone' END
    WHERE id = :user_id AND deleted_at IS NULL
    """,
    "users.pk",
)
ME = telling(
    f"SELECT NULL AS version, {people.PERSON} AS answer FROM live_users u WHERE u.id = :user_id AND :now <> ''",
    "users.pk",
    *people.PERSON_INDEXES,
)


@endpoint("PATCH /me", permission=PERSON)
async def update_me(request: UpdateMeRequest, call: Call) -> Answer[Person]:
    await call.judged()
    own: dict[str, Value] = {"user_id": call.actor.user_id}
    changes = request.model_dump(include=request.model_fields_set)
    plan = [CHANGE(**own, changes=dumps(changes), now=call.now)] if changes else []
    return await call.commit(plan, Answer(Told(ME, own)))


handler = Mangum(update_me, lifespan="off", text_mime_types=TEXT)

"""PATCH /users/{user}: suspend a user or let them in again, change their names, or change nothing.

Staff with `users:update` who have just shown their second factor or password, and who hold all that the user has been
granted. Who is suspended is out at once: their sessions end. The last administrator cannot be suspended: the batch
asks whether there is another, so of two who suspend each other at once one is refused.
"""

from typing import Any, Literal

from mangum import Mangum
from pydantic import Field

from api.access import UserKey, holding
from api.call import Answer, Call, Told, dumps
from api.catalog_shapes import absent
from api.endpoint import TEXT, endpoint
from api.idempotency import telling
from api.people_shapes import Name, Person
from api.shapes import Phone, Shape
from api.trail import changes
from db.sql import Sql, guard
from db.statements import access, people
from domain.refusals import Refusal


class UpdateUserRequest(Shape):
    user: UserKey
    status: Literal["ACTIVE", "SUSPENDED"] = Field(default_factory=absent)
    first_name: Name | None = None
    last_name: Name | None = None
    phone: Phone | None = None


PERSONAL = ("first_name", "last_name", "phone")
USER = Sql("SELECT id, status, first_name, last_name, phone FROM live_users WHERE id = :user_id", "users.pk")
# Of what was read, so that the trail says what was changed.
AS_READ = Sql(
    guard(
        "EXISTS (SELECT 1 FROM live_users WHERE id = :id AND status = :status AND first_name IS :first_name "
        "AND last_name IS :last_name AND phone IS :phone)",
        "stale",
        "'users'",
    ),
    "users.pk",
)
# :sent has the members that were sent, also those that are null.
CHANGE = Sql(
    f"""
    UPDATE users SET {
        ", ".join(
            f"{name} = CASE WHEN json_type(:sent, '$.{name}') IS NULL THEN {name} ELSE :sent ->> '$.{name}' END"
            for name in ("status", "first_name", "last_name", "phone")
        )
    }, updated_at = :now
    WHERE id = :user_id AND deleted_at IS NULL
    """,
    "users.pk",
)
TOLD = telling(
    f"SELECT {people.PERSON} AS answer, NULL AS version FROM live_users u WHERE u.id = :user_id AND :now > ''",
    "users.pk",
    *people.PERSON_INDEXES,
)


@endpoint(
    "PATCH /users/{user}",
    permission="users:update",
    step_up=True,
    errors=("last_admin",),
)
async def update_user(request: UpdateUserRequest, call: Call) -> Answer[Person]:
    sent: dict[str, Any] = request.model_dump(exclude_unset=True, exclude={"user"})
    user_id, now = request.user, call.now
    [found] = await call.read(USER(user_id=user_id))
    if not found:
        raise Refusal("not_found")
    plan = [holding(call, over=user_id), access.USER_STANDS(user_id=user_id)]
    changed = changes(found[0], sent)
    plan.append(AS_READ(**found[0]))
    if changed["after"].get("status") == "SUSPENDED":
        plan += [
            access.NOT_LAST_ADMIN(user_id=user_id),
            people.END_SESSIONS(user_id=user_id, keep=None, now=now),
        ]
    if changed["after"]:
        call.audit("users:update", "users", user_id, **changed, personal=PERSONAL, person=user_id)
        plan.append(CHANGE(user_id=user_id, sent=dumps(sent), now=now))
    if "status" in changed["after"]:
        kind = "user_suspended" if sent["status"] == "SUSPENDED" else "user_activated"
        call.happened(kind, user_id, by=call.actor.id)
    return await call.commit(plan, Answer(Told(TOLD, {"user_id": user_id})))


handler = Mangum(update_user, lifespan="off", text_mime_types=TEXT)

"""GET /users: users, the newest first, by e-mail address, status and role. Changes nothing.

Staff with `users:read`. Deleted users are nobody any more, and are not in the list.
"""

from typing import Literal

from mangum import Mangum
from pydantic import Field

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.people_shapes import Person
from api.shapes import Page, PageRequest
from db.sql import Sql
from db.statements import people

AFTER_ALL = "~"


class ListUsersRequest(PageRequest):
    email: str | None = Field(default=None, max_length=254, description="The whole address, in any case.")
    status: Literal["ACTIVE", "SUSPENDED"] | None = None
    role: str | None = Field(default=None, max_length=100, description="The name of a role that they have.")


_STATUS = "(:status IS NULL OR +u.status = :status)"
_ROLE = "(SELECT id FROM roles WHERE name = :role)"
_HAS_ROLE = """(:role IS NULL OR EXISTS (
      SELECT 1 FROM roles w CROSS JOIN user_roles m ON m.user_id = u.id AND m.role_id = w.id WHERE w.name = :role))"""


def _list(source: str, condition: str, key: str, *indexes: str) -> Sql:
    """The page before the id :before, newest first: ids sort by time."""
    return Sql(
        f"""
        SELECT {people.PERSON} AS item, u.id FROM {source} WHERE {condition} AND {key} < :before
        ORDER BY {key} DESC LIMIT :rows
        """,
        *indexes,
        *people.PERSON_INDEXES,
    )


USERS = _list("live_users u", "1", "u.id", "users.pk")
USERS_OF_STATUS = _list("live_users u", "u.status = :status", "u.id", "users_by_status")
USERS_OF_ROLE = _list(
    "user_roles m CROSS JOIN live_users u ON u.id = m.user_id",
    f"m.role_id = {_ROLE} AND {_STATUS}",
    "m.user_id",
    "user_roles_by_role",
    "roles_name_once",
    "users.pk",
)
# There is one at most.
USER_OF_EMAIL = Sql(
    f"""
    SELECT {people.PERSON} AS item, u.id FROM live_users u
    WHERE lower(u.email) = lower(:email) AND {_STATUS} AND {_HAS_ROLE} AND +u.id < :before LIMIT :rows
    """,
    "users_email_once",
    "roles_name_once",
    "user_roles.pk",
    *people.PERSON_INDEXES,
)


@endpoint("GET /users", permission="users:read")
async def list_users(request: ListUsersRequest, call: Call) -> Answer[Page[Person]]:
    [before] = call.after(request, "newest") or [AFTER_ALL]
    window = {"before": before, "rows": request.limit + 1}
    if request.email is not None:
        statement = USER_OF_EMAIL(email=request.email, status=request.status, role=request.role, **window)
    elif request.role is not None:
        statement = USERS_OF_ROLE(role=request.role, status=request.status, **window)
    elif request.status is not None:
        statement = USERS_OF_STATUS(status=request.status, **window)
    else:
        statement = USERS(**window)
    [rows] = await call.read(statement)
    return call.page(request, rows, ("id",), "newest")


handler = Mangum(list_users, lifespan="off", text_mime_types=TEXT)

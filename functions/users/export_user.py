"""GET /users/{user}/export: everything about a user as JSON, secrets aside. Changes nothing. Staff: `users:export`."""

from mangum import Mangum

from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.export_shapes import Export
from api.people_shapes import UserId
from api.shapes import Shape
from db.statements.personal import exporting, told
from domain.refusals import Refusal


class ExportUserRequest(Shape):
    user: UserId


@endpoint("GET /users/{user}/export", permission="users:export", errors=("not_found",))
async def export_user(request: ExportUserRequest, call: Call) -> Answer[Export]:
    found = await call.read(*exporting(request.user))
    if not found[0]:
        raise Refusal("not_found")
    return Answer(told(found))


handler = Mangum(export_user, lifespan="off", text_mime_types=TEXT)

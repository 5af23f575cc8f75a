"""GET /me/export: everything about a person as JSON, secrets aside. Changes nothing. Whoever has logged in."""

from mangum import Mangum

from api.auth import PERSON
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.export_shapes import Export
from api.shapes import Shape
from db.statements.personal import exporting, told


class ExportMeRequest(Shape):
    """Nothing."""


@endpoint("GET /me/export", permission=PERSON)
async def export_me(request: ExportMeRequest, call: Call) -> Answer[Export]:
    return Answer(told(await call.read(*exporting(call.user_id))))


handler = Mangum(export_me, lifespan="off", text_mime_types=TEXT)

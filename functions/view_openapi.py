"""GET /openapi.json: this contract, as OpenAPI 3.1.

Anyone may ask. Changes nothing. The file is derived when an endpoint changes (`tally routes --write`),
never while serving.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from mangum import Mangum

from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.shapes import Shape


class ViewOpenapiRequest(Shape):
    """Nothing is asked."""


@lru_cache(maxsize=1)
def _document() -> str:
    return (Path(__file__).parent.parent / "openapi.json").read_text(encoding="utf-8")


@endpoint("GET /openapi.json", permission=PUBLIC)
async def view_openapi(request: ViewOpenapiRequest, call: Call) -> Answer[dict[str, Any]]:
    await call.read()
    return Answer(_document())


handler = Mangum(view_openapi, lifespan="off", text_mime_types=TEXT)

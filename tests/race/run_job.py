"""A job as a request, so that it can race with requests: `/jobs/expire_reservations` runs that job once."""

from __future__ import annotations

import importlib
import json
from typing import Any


async def run_job(scope: Any, receive: Any, send: Any) -> None:
    name = scope["path"].rpartition("/")[2]
    job = getattr(importlib.import_module(f"functions.jobs.{name}"), name)
    body = json.dumps(await job.run()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

"""One database client per process, opened at the first use and reused over warm invocations."""

from __future__ import annotations

import os

from api.settings import Settings, SettingsError, settings
from db.helper import Database, connect, prepare

_client: Database | None = None
_url: str | None = None
_serving = False


def serve_many() -> None:
    """Called by a server before its first request: this process serves many requests at once."""
    global _serving
    _serving = True


def start() -> None:
    """Called when an endpoint or a job is declared. In the cloud the process has one of them, and this is its start:
    it refuses a wrong environment, and gets ready what the first request would wait for. Raises SettingsError.
    """
    if "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        return
    url = settings().database_url
    if url.startswith("sqlite:"):
        raise SettingsError("DATABASE_URL: a function keeps no file; write libsql://… or d1://…")
    prepare(url)


async def database(known: Settings) -> Database:
    """The client of this process for `known.database_url`."""
    global _client, _url
    if _client is None or _url != known.database_url:
        await close_database()
        _client = await connect(
            known.database_url,
            serving=_serving,
            timeout_ms=known.query_timeout_ms,
            pool=(known.database_pool_min, known.database_pool_max),
            token=known.database_token,
            replica_url=known.database_replica_url or None,
        )
        _url = known.database_url
    return _client


async def close_database() -> None:
    """Close the client; the next use opens another."""
    global _client
    client, _client = _client, None
    if client is not None:
        await client.close()

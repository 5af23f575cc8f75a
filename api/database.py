"""One database client per process, opened at the first use and reused over warm invocations."""

from __future__ import annotations

from api.settings import Settings
from db.helper import Database, connect

_client: Database | None = None
_url: str | None = None
_serving = False


def serve_many() -> None:
    """Called by a server before its first request: this process serves many requests at once."""
    global _serving
    _serving = True


async def database(settings: Settings) -> Database:
    """The client of this process for `settings.database_url`."""
    global _client, _url
    if _client is None or _url != settings.database_url:
        await close_database()
        _client = await connect(
            settings.database_url,
            serving=_serving,
            timeout_ms=settings.query_timeout_ms,
            pool=(settings.database_pool_min, settings.database_pool_max),
            token=settings.database_token,
            replica_url=settings.database_replica_url or None,
        )
        _url = settings.database_url
    return _client


async def close_database() -> None:
    """Close the client; the next use opens another."""
    global _client
    client, _client = _client, None
    if client is not None:
        await client.close()

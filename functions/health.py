"""GET /health: whether the shop can sell.

503 when the database is away, not migrated, or does not enforce foreign keys.

Anyone may ask. Changes nothing.
"""

from pathlib import Path
from typing import Literal

from mangum import Mangum
from pydantic import Field

import db
from api.auth import PUBLIC
from api.call import Answer, Call
from api.endpoint import TEXT, endpoint
from api.problems import Problem
from api.shapes import Shape
from db.helper import DatabaseError
from db.sql import Sql


class HealthRequest(Shape):
    """Nothing is asked."""


class Migrations(Shape):
    applied: int = Field(description="Versions applied to this database.")
    pending: int = Field(description="Versions that this code brings and the database lacks.")


class Health(Shape):
    status: Literal["ok"]
    engine: Literal["sqlite", "libsql", "d1"]
    foreign_keys: Literal[True]
    migrations: Migrations


BROUGHT = len(list((Path(db.__file__).parent / "migrations").glob("[0-9]*.sql")))
"""Versions that this code brings."""

# The migrations table is small: one row a version.
APPLIED = Sql("SELECT count(*) AS applied FROM migrations", "migrations.pk")


@endpoint("GET /health", permission=PUBLIC, errors=("unhealthy",))
async def health(request: HealthRequest, call: Call) -> Answer[Health]:
    try:
        [[row]] = await call.read(APPLIED())
        foreign_keys = await call.db.health()
    except (DatabaseError, Problem) as error:
        raise Problem("unhealthy", reason="database") from error
    applied = row["applied"]
    if not foreign_keys or applied < BROUGHT:
        reason = "migrations" if foreign_keys else "foreign_keys"
        raise Problem("unhealthy", reason=reason, applied=applied, pending=max(BROUGHT - applied, 0))
    body = {
        "status": "ok",
        "engine": call.db.engine,
        "foreign_keys": True,
        "migrations": {"applied": applied, "pending": 0},
    }
    return Answer(body)


handler = Mangum(health, lifespan="off", text_mime_types=TEXT)

"""GET /health: whether the shop can sell.

503 when the database is away, not migrated, being restored, or does not enforce foreign keys.

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
from db.helper import DatabaseError, SchemaBehind
from db.sql import Sql, unregistered


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
# Where there is no such table, a restore may be under way, or have ended early: db/restore_target.py.
RESTORING = unregistered("SELECT count(*) AS restoring FROM pragma_table_list WHERE name = 'restoring_state'")


@endpoint("GET /health", permission=PUBLIC, errors=("unhealthy",))
async def health(request: HealthRequest, call: Call) -> Answer[Health]:
    try:
        [[row]] = await call.read(APPLIED())
        foreign_keys = await call.db.health()
    except (DatabaseError, Problem) as error:
        reason = "restore" if isinstance(error.__cause__, SchemaBehind) and await _restoring(call) else "database"
        raise Problem("unhealthy", reason=reason) from error
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


async def _restoring(call: Call) -> bool:
    try:
        [[row]] = await call.read(RESTORING())
        return bool(row["restoring"])
    except Problem:
        return False


handler = Mangum(health, lifespan="off", text_mime_types=TEXT)

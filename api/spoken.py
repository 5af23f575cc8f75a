"""What a guard or a constraint of the database said, as what a client is told."""

from __future__ import annotations

import json

from api.problems import CODES, Problem, invalid
from db.helper import Conflict, Refused


class Rerun(Exception):
    """Somebody was faster: the line is to be run again from its first read."""


def spoken(error: Refused | Conflict) -> Exception:
    """What a guard or a constraint said, as the problem that the client sees, or as the wish to run the line again."""
    if isinstance(error, Refused):
        if error.code in ("stale", "replay"):
            return Rerun()
        if error.code not in CODES:
            return error
        facts = json.loads(error.detail) if error.detail else {}
        return Problem(error.code, **facts)
    if error.kind == "trigger" and error.what.endswith("_replacement_refused"):
        return Rerun()  # an id or reference was drawn twice: draw again
    if error.kind == "unique":
        column = error.what.split(",")[0].rpartition(".")[2]
        return Problem("already_exists", errors=[(f"/{column}", "already_exists", {})])
    if error.kind == "foreign_key":
        return Problem("missing_reference")
    if error.kind in ("check", "not_null", "type"):
        return invalid("", "constraint", constraint=error.what)
    return Problem("conflict", constraint=error.what)

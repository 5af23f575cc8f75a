"""Who is let in where: the verdict of each endpoint on each kind of caller, from its policy alone, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.auth import EVERYBODYS, PERSON, PUBLIC
from api.endpoint import Endpoint

IN: Final = "in"
UNKNOWN: Final = "401"
REFUSED: Final = "403"
STEP_UP: Final = "step-up"

# Who calls, and how: the first column that fits what they hold.
ACTORS: Final = {
    "nobody": "no credential",
    "customer": "the role customer",
    "other customer": "another one",
    "staff without": "every permission but the endpoint's",
    "staff with": "the endpoint's permission alone",
    "admin": "the role admin, second factor or password just shown",
    "admin unproven": "the role admin, nothing shown since the log-in",
    "expired": "an admin's access token after its time",
    "revoked": "an admin's token of a session that was ended",
    "suspended": "an admin who was suspended",
    "key without": "an API key with every scope but the endpoint's",
    "key with": "an API key with the endpoint's scope",
}
_GONE: Final = ("expired", "revoked", "suspended")
_PEOPLE: Final = ("customer", "other customer", "staff without", "staff with", "admin", "admin unproven")


def verdict(permission: str, *, step_up: bool, actor: str) -> str:
    """IN, UNKNOWN (401 unauthenticated), REFUSED (403 forbidden) or STEP_UP (403 step_up_required)."""
    if actor in _GONE:
        return UNKNOWN  # a credential that is no good is told so, even where none is needed
    if actor == "nobody":
        return IN if permission == PUBLIC else UNKNOWN
    if permission == PERSON:
        entitled = actor in _PEOPLE
    else:
        entitled = permission in EVERYBODYS or actor in ("staff with", "admin", "admin unproven", "key with")
    if not entitled:
        return REFUSED
    # Programs have no second factor; of people only the admin of the last column has not shown theirs.
    return STEP_UP if step_up and actor == "admin unproven" else IN


def access_page(found: Sequence[Endpoint]) -> str:
    """The table: an endpoint a row, a kind of caller a column."""
    lines = [
        "# Who may what",
        "<!-- Derived by `tally routes --write`; do not edit. -->",
        "",
        f"{len(found)} endpoints and {len(ACTORS)} kinds of caller: {len(found) * len(ACTORS)} cells, 0 open. "
        "`tests/contract/test_matrix.py` asks each of them and looks that nothing is written where somebody is "
        "refused. What those who are let in see is theirs alone: a foreign id is answered as one that never was.",
        "",
        "`in`: let in. `401`: unauthenticated. `403`: forbidden. `step-up`: 403 until the second factor, or the "
        "password, is shown again (`POST /auth/step-up`).",
        "",
        "| caller | with |",
        "| --- | --- |",
        *(f"| {name} | {text} |" for name, text in ACTORS.items()),
        "",
        f"| endpoint | policy | {' | '.join(ACTORS)} |",
        f"| --- | --- | {' | '.join('---' for _ in ACTORS)} |",
    ]
    for one in found:
        cells = [verdict(one.permission, step_up=one.step_up, actor=actor) for actor in ACTORS]
        lines.append(f"| `{one.method} {one.path}` | `{one.permission}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

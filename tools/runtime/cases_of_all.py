"""The cases of all functions, in the order that they are asked in: whoever is erased is erased last."""

from __future__ import annotations

from typing import Final

from tools.runtime import cases, cases_access, cases_auth, cases_factors, cases_me
from tools.runtime.events import Case, Due

CASES: Final[tuple[Case, ...]] = (
    *cases.CASES, *cases_auth.CASES, *cases_factors.CASES, *cases_access.CASES, *cases_me.CASES
)  # fmt: skip
DUE: Final[tuple[Due, ...]] = (*cases.DUE, *cases_auth.DUE, *cases_access.DUE)
EVERY: Final[tuple[Case | Due, ...]] = (*CASES, *DUE)

"""The whole examination: ask everything, then judge. Nothing is written, whatever the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from doctor import engine, rows
from doctor.case import Case
from doctor.checks import columns, indexes, keys, queries, shop, soundness, versions
from doctor.finding import ACT_FROM, Finding
from doctor.patient import Patient
from doctor.plans import planned
from doctor.schema import schema_of

ASKING: Final = (soundness, columns, keys, shop)
"""Checks that count rows."""
CHECKS: Final = (soundness, versions, columns, keys, indexes, shop, queries)


@dataclass
class Examined:
    """The findings, the worst first, and what they were found in."""

    case: Case
    findings: list[Finding]

    @property
    def must_act(self) -> bool:
        return any(one.severity >= ACT_FROM for one in self.findings)


async def examine(patient: Patient, queries_text: str | None = None) -> Examined:
    """Raises DatabaseError if the engine is away."""
    not_asked: list[str] = []
    schema = await schema_of(patient)
    counts = await rows.count(patient, schema, (one for check in ASKING for one in check.questions(schema)))
    case = Case(patient.name, await engine.engine_of(patient, not_asked), schema, counts, not_asked=not_asked)
    case.damage = await engine.damage_of(patient, not_asked)
    case.violated = await engine.violated_of(patient, schema, not_asked)
    case.broken_views = await engine.broken_views_of(patient, schema)
    if queries_text is not None:
        case.queries = await planned(patient, schema, queries_text, not_asked)
    not_asked += [f"The rows of {name}: they cannot be read" for name in counts.unread]
    not_asked += [f"The table {name}: the database does not describe it" for name in schema.unread]
    return Examined(case, sorted(_judged(case), key=lambda one: (-one.severity, one.code, one.place)))


def _judged(case: Case) -> Iterator[Finding]:
    for check in CHECKS:
        yield from check.findings(case)

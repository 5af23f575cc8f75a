"""What the plans of the given queries show: walks, indexes made on the spot, sorts."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.advice import Workbench
from doctor.case import Case
from doctor.catalogue import found
from doctor.checks.soundness import rows
from doctor.finding import Finding, Severity
from doctor.plans import Planned, Walk

FEW_ROWS = 100
"""A table this small is walked as fast as it is searched, and nobody has to act."""


def findings(case: Case) -> Iterator[Finding]:
    if not case.queries:
        return
    bench = Workbench(case.schema)
    try:
        for plan in case.queries:
            yield from _of(plan, case, bench)
    finally:
        bench.close()


def _of(plan: Planned, case: Case, bench: Workbench) -> Iterator[Finding]:
    place = f"line {plan.query.line}"
    if plan.error is not None:
        yield found("query_broken", place, f"{plan.short} — {plan.error}.")
        return
    for name, walk in {one.table: one for one in plan.walks}.items():
        advice = [] if walk.aside else bench.against_walk(plan, walk)
        many = case.counts.rows.get(name, 0)
        severity = Severity.LOW if many < FEW_ROWS else None
        what = f"{plan.short} — {_walked(walk)}, {rows(many)}.{_advised(advice)}"
        code = "query_builds_index" if walk.automatic else "query_scan"
        yield found(code, f"{place}, {name}", what, severity, advice=advice)
    if plan.sorts:
        advice = bench.against_sort(plan)
        what = f"{plan.short} — sorts for {', '.join(dict.fromkeys(plan.sorts))}.{_advised(advice)}"
        yield found("query_sort", place, what, advice=advice)


def _walked(walk: Walk) -> str:
    if walk.aside:
        return f"walks {walk.table} for a foreign key or a trigger"
    if walk.automatic:
        return f"indexes {walk.table} anew"
    return f"walks {walk.table}" + (f" by its index {walk.by_index}" if walk.by_index else "")


def _advised(advice: list[str]) -> str:
    return f" Would help: {'; '.join(advice)};" if advice else ""

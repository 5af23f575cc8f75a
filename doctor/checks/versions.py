"""The SQLite that wrote, against the corruption bugs that its authors have documented; and durability.

Sources: sqlite.org/wal.html#walresetbug with the release notes of 3.51.3 (2026-03-13), and the release notes of 3.37.2
(2022-01-06). A file's header names the version that wrote last; who wrote before it, it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from doctor.case import Case
from doctor.catalogue import found
from doctor.engine import dotted
from doctor.file import Version
from doctor.finding import Finding, Severity


class Bug(NamedTuple):
    """From `first` to `last`, both affected. `wal` is true for one that only a file in WAL mode meets."""

    name: str
    first: Version
    last: Version
    wal: bool
    severity: Severity
    what: str


BUGS: Final = (
    Bug(
        "WAL reset",
        (3, 7, 0),
        (3, 51, 2),
        True,
        Severity.MEDIUM,
        "two connections that write and checkpoint at the same moment can lose a part of the log",
    ),
    Bug(
        "savepoint rollback",
        (3, 35, 0),
        (3, 37, 1),
        False,
        Severity.LOW,
        "a SAVEPOINT rolled back under PRAGMA temp_store = MEMORY, then more changes and a COMMIT, can damage the file",
    ),
)


def findings(case: Case) -> Iterator[Finding]:
    engine = case.engine
    for bug in BUGS:
        if engine.version is None or not bug.first <= engine.version <= bug.last or (bug.wal and not engine.wal):
            continue
        where = f"{dotted(bug.first)} to {dotted(bug.last)}"
        if engine.name == "libsql":
            what = (
                f"The server tells SQLite {dotted(engine.version)}, and from {where} {bug.what}. Whether the fork has "
                "the fix cannot be told from outside; its authors know."
            )
            yield found("corruption_bug", bug.name, what, Severity.LOW)
        else:
            what = f"Last written by {dotted(engine.version)}; from {where} {bug.what}."
            yield found("corruption_bug", bug.name, what, bug.severity)
    if engine.synchronous is not None and engine.synchronous < 2:
        yield found("durability_relaxed", "database", f"PRAGMA synchronous reads {engine.synchronous}; FULL is 2.")

"""What the doctor says: a code, a place, what was seen there, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final


class Severity(IntEnum):
    """`tally doctor` ends with 1 from MEDIUM on."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return self.name.lower()


ACT_FROM: Final = Severity.MEDIUM


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` names a table, a column (`table.column`), an index, a query (`file:line table`) or `database`.

    Code and place together are unique in a report. `what` is a sentence about this place; why it matters and how to
    mend it is the same for all of a code, and stands in the catalogue. `data` is what the migration's writer needs.
    """

    code: str
    place: str
    what: str
    severity: Severity
    data: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.code, self.place

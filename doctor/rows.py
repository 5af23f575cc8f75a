"""What the rows say, counted by the database in one walk a table: the rows themselves never leave it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from db.backup_tables import quoted
from doctor.patient import Patient, asked
from doctor.schema import Schema, Table

COUNTS_MAX: Final = 40
"""Of one walk: D1 gives at most 100 columns, and a statement of less than 100 KB."""


class Question(NamedTuple):
    """Of how many rows of `table` the SQL `condition` is true. Its columns are written with `column(name)`."""

    table: str
    key: str
    condition: str


@dataclass
class Counts:
    """The answers. What could not be counted is None, and its table stands in `unread`."""

    rows: dict[str, int] = field(default_factory=dict)
    answers: dict[tuple[str, str], int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def of(self, table: str, key: str) -> int:
        return self.answers.get((table, key), 0)


def column(name: str) -> str:
    """A column of the table that is walked, whatever else a condition looks at."""
    return f"walked.{quoted(name)}"


async def count(patient: Patient, schema: Schema, questions: Iterable[Question]) -> Counts:
    """Walk every table once for each `COUNTS_MAX` questions about it."""
    counts = Counts()
    about: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        about[question.table].append(question)
    for name, table in schema.tables.items():
        if not await _walk(patient, table, about[name], counts):
            counts.unread.append(name)
    return counts


async def _walk(patient: Patient, table: Table, questions: list[Question], counts: Counts) -> bool:
    """Whether the table's rows could be counted at all. A question that fails (a function of the owner's) is left."""
    for start in range(0, max(1, len(questions)), COUNTS_MAX):
        some = questions[start : start + COUNTS_MAX]
        sums = "".join(f", total({one.condition}) AS n{number}" for number, one in enumerate(some))
        rows = await asked(patient, f"SELECT count(*) AS how_many{sums} FROM {quoted(table.name)} AS walked")
        if rows is None and some:
            for fewer in [[]] if len(some) == 1 else [[one] for one in some]:
                if not await _walk(patient, table, fewer, counts):
                    return False
            continue
        if rows is None:
            return False
        counts.rows[table.name] = int(rows[0]["how_many"])
        for number, one in enumerate(some):
            counts.answers[one.table, one.key] = int(rows[0][f"n{number}"])
    return True

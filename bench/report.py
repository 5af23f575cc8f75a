"""From what was measured to a table: figures, the ratio to bare SQL, its target, and whether it was met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Row:
    """One line of the table. Microseconds of one request; `ratio` is what the target speaks of, with its range."""

    part: str
    what: str
    mean: float | None = None
    p50: float | None = None
    p99: float | None = None
    rate: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    target: float | None = None
    aim: float | None = None
    at_most: bool = False
    note: str = ""
    repetitions: list[float] = field(default_factory=list)
    """The means of the repetitions, or their rates for a server."""

    @property
    def met(self) -> bool | None:
        if self.target is None or self.ratio is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def verdict(self) -> str:
        if self.met is None or self.ratio is None or self.target is None:
            return ""
        if self.met:
            reached = self.aim is not None and self.ratio >= self.aim
            return "met, and the aim" if reached else "met"
        return f"missed by {abs(self.ratio - self.target):.2f}"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


def p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def timed(part: str, what: str, runs: Sequence[Sequence[float]]) -> Row:
    """The row of a candidate that ran once a repetition; nanoseconds in, microseconds out."""
    everything = [one / 1_000 for run in runs for one in run]
    mean = statistics.mean(everything)
    return Row(
        part,
        what,
        mean=mean,
        p50=statistics.median(everything),
        p99=p99(everything),
        rate=1e6 / mean,
        repetitions=[statistics.mean(run) / 1_000 for run in runs],
    )


def compared(
    row: Row, ratios: Sequence[float], target: float | None, *, aim: float | None = None, at_most: bool = False
) -> Row:
    """The same row with the median of the repetitions' ratios, each to the bare SQL of its own repetition."""
    row.ratio, row.low, row.high = statistics.median(ratios), min(ratios), max(ratios)
    row.target, row.aim, row.at_most = target, aim, at_most
    return row


def table(rows: Sequence[Row]) -> str:
    """The rows as text, for people."""
    head = ("", "what", "mean µs", "p50", "p99", "per s", "range", "ratio", "range", "target", "verdict")
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        spread = f"{min(row.repetitions):.0f}-{max(row.repetitions):.0f}" if row.repetitions else ""
        target = "" if row.target is None else f"{'≤' if row.at_most else '≥'} {row.target:.2f}"
        if row.aim is not None:
            target += f" (aim {row.aim:.2f})"
        lines.append(
            (
                row.part,
                row.what,
                *("" if value is None else f"{value:.0f}" for value in (row.mean, row.p50, row.p99, row.rate)),
                spread,
                "" if row.ratio is None else f"{row.ratio:.2f}",
                "" if row.low is None else f"{row.low:.2f}-{row.high:.2f}",
                target,
                " · ".join(one for one in (row.verdict(), row.note) if one),
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    left = (0, 1, 9, 10)
    text = [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])

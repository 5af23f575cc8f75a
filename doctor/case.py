"""All that was asked about one database, for the checks to judge: they are pure, and ask nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from doctor.file import Version
from doctor.plans import Planned
from doctor.rows import Counts
from doctor.schema import Schema


class Violated(NamedTuple):
    """Rows of `table` that its reference number `reference` leads nowhere; the first rowids, NULL without a rowid."""

    table: str
    reference: int
    how_many: int
    sample: str


@dataclass
class Engine:
    """What the engine tells of itself; None where it does not let one ask, or a file cannot know."""

    name: str
    version: Version | None = None
    wal: bool | None = None
    synchronous: int | None = None
    foreign_keys: bool | None = None
    about: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Case:
    """`not_asked` says, a sentence each, what this engine or this database did not answer."""

    name: str
    engine: Engine
    schema: Schema
    counts: Counts
    damage: list[str] = field(default_factory=list)
    violated: list[Violated] = field(default_factory=list)
    broken_views: list[tuple[str, str]] = field(default_factory=list)
    queries: list[Planned] | None = None
    not_asked: list[str] = field(default_factory=list)

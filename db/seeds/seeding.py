"""Fill a database with a profile: one read, one batch, and a look at what stands there afterwards.

What a run before has made is left alone, whoever has edited it since; and so is all that hangs on it: a product whose
variant was removed does not get it back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from db import invariants
from db.helper import Conflict, Database, insert_statements
from db.seeds.records import TABLES, Record, Unit, Words, units
from db.seeds.tables import tables
from db.sql import unregistered

ATTEMPTS_MAX: Final = 3

ROOTS: Final = ("locations", "producers", "categories", "collections", "products")
# :ids = [id, …]; which of them are there already, deleted ones included: nobody wants those back.
_PRESENT: Final = {
    table: unregistered(f"SELECT t.id FROM json_each(:ids) w CROSS JOIN {table} t WHERE t.id = w.value")
    for table in ROOTS
}


class SeedError(Exception):
    """The profile does not fit the database; nothing was written, unless the text says otherwise."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run did: rows inserted by table (empty if all was there), and how many things the profile has."""

    profile: str
    inserted: dict[str, int]
    present: dict[str, int]


async def seed(db: Database, profile: str, words: Words) -> Seeded:
    """Insert what is missing, all or nothing, and validate. Raises SeedError, ValueError for an unknown profile."""
    wanted = units(tables(profile), words)
    inserted: dict[str, int] = {}
    for attempt in range(ATTEMPTS_MAX):
        rows = _rows(await _missing(db, wanted))
        if not rows:
            break
        statements = [one for table in TABLES if table in rows for one in insert_statements(table, rows[table])]
        try:
            await db.batch(statements)
            inserted = {table: len(rows[table]) for table in TABLES if table in rows}
            break
        except Conflict as error:
            # Another run may have been faster; then its rows are there now, and there is nothing left to do.
            if attempt == ATTEMPTS_MAX - 1:
                raise SeedError(
                    f"the shop already has something of its own under that name ({error}); nothing was written"
                ) from error
    await _validate(db, wanted)
    return Seeded(profile, inserted, dict(Counter(unit.table for unit in wanted)))


async def _missing(db: Database, wanted: list[Unit]) -> list[Unit]:
    ids = {table: json.dumps([unit.id for unit in wanted if unit.table == table]) for table in ROOTS}
    found = await db.read(*(_PRESENT[table](ids=ids[table]) for table in ROOTS))
    present = {row["id"] for rows in found for row in rows}
    return [unit for unit in wanted if unit.id not in present]


def _rows(missing: Iterable[Unit]) -> dict[str, list[Record]]:
    rows: dict[str, list[Record]] = {}
    for unit in missing:
        for table, record in unit.rows:
            rows.setdefault(table, []).append(record)
    return rows


async def _validate(db: Database, wanted: list[Unit]) -> None:
    """Everything that was wanted is there, and every invariant holds. Raises SeedError: the rows are kept."""
    if missing := await _missing(db, wanted):
        raise SeedError(f"{len(missing)} of {len(wanted)} are not there after seeding, among them {missing[0].id}")
    violated = [finding for finding in await invariants.check(db) if not finding.holds]
    if violated:
        said = "; ".join(f"{finding.name}: {finding.sentence}" for finding in violated)
        raise SeedError(f"the rows are there, but invariants do not hold (see `tally check`): {said}")

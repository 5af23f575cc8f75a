"""The validation report of a migration run: what document 004 checked by hand, asked of the live database.

Foreign keys and integrity, tables and indexes with the fourteen names of 004, the plan of its analytics query, and
the statistics of the run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from db import drift
from db.drift import Schema, Thing
from db.helper import Database, DatabaseError
from db.migrate import Migrations, Report
from db.sql import unregistered

TABLES: Final = ("analytics_daily", "stock_moves")
INDEXES: Final = (
    "idx_analytics_daily_date",
    "idx_analytics_daily_type",
    "idx_analytics_event_type",
    "idx_analytics_timestamp",
    "idx_analytics_user",
    "idx_images_entity",
    "idx_logs_created",
    "idx_password_resets_user",
    "idx_products_size",
    "idx_sell_items_submission",
    "idx_sell_submissions_created",
    "idx_sell_submissions_status",
    "idx_stock_moves_order",
    "idx_stock_moves_product",
)
QUERY: Final = """SELECT * FROM analytics_events
WHERE event_type = 'pageview' AND timestamp >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-7 days')
ORDER BY timestamp DESC LIMIT 50"""

_FOREIGN_KEYS: Final = unregistered("SELECT foreign_keys AS answer FROM pragma_foreign_keys")
_ORPHANS: Final = unregistered(
    'SELECT "table" AS child, parent, count(*) AS orphans FROM pragma_foreign_key_check GROUP BY "table", parent'
)
_INTEGRITY: Final = unregistered("SELECT quick_check AS answer FROM pragma_quick_check LIMIT 10")
_PLAN: Final = unregistered(f"EXPLAIN QUERY PLAN {QUERY}")
_CREATED: Final = re.compile(r"create (?:virtual |unique )?(table|index|view|trigger) (\w+)")


class Check(NamedTuple):
    """One line of the report. `ok` is None for what is only told."""

    section: str
    ok: bool | None
    text: str


class Validation(NamedTuple):
    """The report. `ok` is False if any check failed."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok is not False for check in self.checks)

    def text(self) -> str:
        lines: list[str] = []
        section = ""
        for check in self.checks:
            if check.section != section:
                section = check.section
                lines += ["", section]
            mark = {True: "ok  ", False: "FAIL", None: "    "}[check.ok]
            lines += [f"  {mark} {check.text}".rstrip()]
        failed = sum(check.ok is False for check in self.checks)
        lines += ["", f"{failed} checks FAILED" if failed else "All checks passed"]
        return "\n".join(lines).lstrip("\n")


async def validation(db: Database, migrations: Migrations, run: Report) -> Validation:
    """Ask the database that `run` has brought to its version."""
    live = await drift.schema_of(db)
    return Validation(
        (
            *await _health(db),
            *await _schema(db, migrations, run),
            *_inventory("Tables", "table", TABLES, live, migrations, run),
            *_inventory("Indexes", "index", INDEXES, live, migrations, run),
            *await _plan(db, live),
            *_statistics(run, live),
        )
    )


async def _health(db: Database) -> list[Check]:
    section = "Database health"
    foreign_keys, orphans, integrity = await db.read(_FOREIGN_KEYS(), _ORPHANS(), _INTEGRITY())
    enforced = foreign_keys[0]["answer"]
    answers = [row["answer"] for row in integrity]
    return [
        Check(section, enforced == 1, f"foreign keys are enforced (PRAGMA foreign_keys = {enforced})"),
        *(Check(section, False, f"{row['orphans']} rows of {row['child']} have no {row['parent']}") for row in orphans),
        *([] if orphans else [Check(section, True, "every row has its parent (foreign_key_check)")]),
        Check(section, answers == ["ok"], f"integrity (quick_check): {'; '.join(answers)}"),
    ]


async def _schema(db: Database, migrations: Migrations, run: Report) -> list[Check]:
    if problems := await migrations.validate(db):
        return [Check("Schema", False, one) for one in problems]
    return [Check("Schema", True, f"as the migrations make it at version {run.version} of {migrations.latest}")]


def _inventory(
    section: str, kind: str, wanted: tuple[str, ...], live: Schema, migrations: Migrations, run: Report
) -> Iterator[Check]:
    names = {thing.name for thing in live if thing.kind == kind}
    made = {thing.name for thing in _created(run)}
    yield Check(section, None, f"{len(names)} in all")
    for name in wanted:
        if name in names:
            yield Check(section, True, f"{name}{' (new)' if name in made else ''}")
        else:
            file = _file_that_makes(Thing(kind, name), migrations, run.version)
            yield Check(section, None if file else False, f"{name} {f'comes with {file}' if file else 'is missing'}")
    for name in sorted(made & names - set(wanted)):
        yield Check(section, True, f"{name} (new)")


def _created(run: Report) -> Iterator[Thing]:
    for step in run.steps:
        for statement in step.statements:
            if match := _CREATED.match(drift.normal(statement.sql.text)):
                yield Thing(match[1], match[2])


def _file_that_makes(thing: Thing, migrations: Migrations, after: int) -> str | None:
    for version, migration in sorted(migrations.files.migrations.items()):
        for statement in migration.statements if version > after else ():
            match = _CREATED.match(drift.normal(statement.sql.text))
            if match and Thing(match[1], match[2]) == thing:
                return migration.file
    return None


async def _plan(db: Database, live: Schema) -> list[Check]:
    section = "Query plan"
    told = [Check(section, None, line) for line in QUERY.splitlines()]
    if Thing("table", "analytics_events") not in live:
        return [*told, Check(section, None, "not asked: there is no table analytics_events at this version")]
    try:
        (rows,) = await db.read(_PLAN())
    except DatabaseError as error:
        return [*told, Check(section, False, str(error))]
    steps = [row["detail"] for row in rows]
    told += [Check(section, None, f"-> {step}") for step in steps]
    if Thing("index", "idx_analytics_event_type") in live:
        indexed = any("USING INDEX idx_analytics_event_type" in step for step in steps)
        sorted_apart = any("TEMP B-TREE" in step for step in steps)
        told.append(Check(section, indexed, "uses idx_analytics_event_type"))
        told.append(Check(section, not sorted_apart, "needs no temporary B-tree"))
    return told


def _statistics(run: Report, live: Schema) -> list[Check]:
    section = "Statistics"
    statements = [statement.sql.text for step in run.steps for statement in step.statements]
    kinds = Counter(_kind(text) for text in statements)
    made = Counter(thing.kind for thing in _created(run) if thing in live)
    told = [f"versions applied: {len(run.steps)}"]
    told += [
        f"{step.migration.file}: {len(step.statements)} statements, {step.seconds * 1000:.0f} ms" for step in run.steps
    ]
    told.append(f"statements executed: {len(statements)}")
    told += [f"{count} {kind}" for kind, count in kinds.most_common()]
    told.append(f"tables added: {made['table']}, indexes added: {made['index']}")
    told.append(f"execution time: {run.seconds:.3f} s")
    return [Check(section, None, line) for line in told] + [Check(section, True, "errors: 0")]


def _kind(statement: str) -> str:
    words = drift.normal(statement).upper().split()
    if words[0] != "CREATE":
        return words[0]
    return next((f"CREATE {word}" for word in words[1:4] if word not in ("UNIQUE", "VIRTUAL")), "CREATE")

"""What a database says about its migrations (the table `migrations`), held against the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from db.helper import Database, DatabaseError
from db.migration_files import Files, Migration, MigrationError, file_of
from db.sql import guard, unregistered

TABLE: Final = unregistered("""
    CREATE TABLE IF NOT EXISTS migrations (
      version    INTEGER NOT NULL CONSTRAINT migrations_version_positive CHECK (version > 0),
      name       TEXT NOT NULL CONSTRAINT migrations_name_present CHECK (name <> ''),
      checksum   TEXT NOT NULL CONSTRAINT migrations_checksum_is_sha256 CHECK (length(checksum) = 64),
      statements INTEGER NOT NULL CONSTRAINT migrations_statements_positive CHECK (statements > 0),
      applied_at TEXT NOT NULL,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      CONSTRAINT migrations_version_once PRIMARY KEY (version)
    ) STRICT
""")
RESTORING: Final = "restoring_state"
"""A table that is there as long as the database is being restored from a backup, or if the restore ended early."""
_HAS_TABLE: Final = unregistered(
    f"SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('migrations', '{RESTORING}') ORDER BY name"
)
_APPLIED: Final = unregistered("SELECT version, name, checksum, applied_at FROM migrations ORDER BY version")
IS_AT: Final = unregistered(guard("(SELECT coalesce(max(version), 0) FROM migrations) = :version", "version_moved"))
RECORD: Final = unregistered("""
    INSERT INTO migrations (version, name, checksum, statements, applied_at, created_at, updated_at)
    VALUES (:version, :name, :checksum, :statements, :now, :now, :now)
""")
FORGET: Final = unregistered("DELETE FROM migrations WHERE version > :version")


class Line(NamedTuple):
    """A version as `status` shows it: `state` is applied, pending, edited, renamed or unknown."""

    version: int
    file: str
    state: str
    applied_at: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """Every version that the files or the database know, and what is wrong, one sentence each."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...]

    @property
    def applied(self) -> int:
        return sum(line.state != "pending" for line in self.lines)

    @property
    def pending(self) -> int:
        return sum(line.state == "pending" for line in self.lines)


class Applied(NamedTuple):
    version: int
    name: str
    checksum: str
    applied_at: str


async def read(db: Database) -> list[Applied]:
    """The versions that the database has, in order; none for one that was never migrated. Raises MigrationError."""
    (there,) = await db.read(_HAS_TABLE())
    if not there:
        return []
    if there[-1]["name"] == RESTORING:
        raise MigrationError(
            "this database is being restored, or a restore ended early; it serves nobody. Run `tally restore FILE "
            "--again`, which throws away what is there"
        )
    try:
        (rows,) = await db.read(_APPLIED())
    except DatabaseError as error:
        if "no such column" not in str(error):
            raise
        raise MigrationError(
            f"the table migrations of this database is not ours ({error}): is it another program's?"
        ) from error
    return [Applied(**row) for row in rows]


def status(files: Files, applied: Sequence[Applied]) -> Status:
    """Every version with its state, and what is wrong."""
    rows = {row.version: row for row in applied}
    lines = []
    for version in sorted(rows.keys() | files.names.keys()):
        row, migration = rows.get(version), files.migrations.get(version)
        file = files.names.get(version) or file_of(version, rows[version].name)
        state = "applied"
        if row is None:
            state = "pending"
        elif version not in files.names:
            state = "unknown"
        elif file != file_of(version, row.name):
            state = "renamed"
        elif migration is not None and migration.checksum != row.checksum:
            state = "edited"
        lines.append(Line(version, file, state, row.applied_at if row else None))
    return Status(tuple(lines), tuple(problems(files, applied)))


def problems(files: Files, applied: Sequence[Applied], undoing: int | None = None) -> list[str]:
    """What is wrong, files first. With `undoing`, an edited file above that version is none: its way back is meant."""
    known = {row.version for row in applied}
    found = [text for version, text in files.gaps.items() if version not in known]
    found += files.problems
    for version in sorted(set(range(1, max(known, default=0))) - known):
        found.append(
            f"the database has version {max(known)} but not version {version}: its table migrations was changed "
            "by hand; restore a backup"
        )
    for row in applied:
        recorded = file_of(row.version, row.name)
        present, migration = files.names.get(row.version), files.migrations.get(row.version)
        if present is None:
            found.append(
                f"{recorded} was applied at {row.applied_at} but is not in {files.directory}: restore the file, "
                "or use the release that has it"
            )
        elif present != recorded:
            found.append(f"{present} was applied as {recorded}: give the file its old name back")
        elif migration and migration.checksum != row.checksum and (undoing is None or row.version <= undoing):
            found.append(_edited(row, migration))
    return found


def _edited(row: Applied, migration: Migration) -> str:
    return (
        f"{migration.file} was changed after it was applied at {row.applied_at} (SHA-256 {row.checksum[:12]}… then, "
        f"{migration.checksum[:12]}… now): restore the file and write a new migration; in development, go down "
        "below it and up again, or reset"
    )

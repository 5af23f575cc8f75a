"""`tally doctor [URL]`: what is wrong with a database, ours or a stranger's, without writing a byte to it.

Exit codes: 0 nothing from medium on, 1 something is (or the database cannot be examined: then nothing stands on
standard output, and a sentence on standard error), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from cli.common import Failure
from doctor import report
from doctor.examine import Examined, examine
from doctor.file import Unreadable
from doctor.mend.migration import MendError, Migration, migration_of, paths_of, write
from doctor.mend.proof import Proof, prove
from doctor.patient import Patient, patient_of


def add_parser(subparsers: Any) -> None:
    help_ = "look at any SQLite, libSQL or D1 database and say what is wrong with it; writes nothing to it"
    parser = subparsers.add_parser("doctor", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("url", nargs="?", metavar="URL", help="a URL, or a file's path; default: --database-url")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    parser.add_argument("--queries", type=Path, metavar="FILE", help="SQL, `;` between queries: the plan of each")
    parser.add_argument(
        "--write-migration",
        metavar="DIR_OR_PREFIX",
        help="write mend.up.sql and mend.down.sql into a folder, or PREFIX.up.sql and PREFIX.down.sql, "
        "after both were proved on a copy",
    )


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    queries = _text_of(args.queries) if args.queries else None
    if args.write_migration:
        try:
            paths_of(args.write_migration)  # refused before anything is asked
        except MendError as error:
            raise Failure(str(error)) from error
    try:
        async with patient_of(args.url or args.database_url) as patient:
            examined = await examine(patient, queries)
            mended = await _mended(patient, examined, args.write_migration) if args.write_migration else []
    except ValueError as error:
        raise Failure(str(error), 2) from error
    except (Unreadable, MendError) as error:
        raise Failure(str(error)) from error
    form = report.as_json if args.json else report.markdown if args.markdown else report.text
    print(form(examined), end="")
    if mended:
        # What a program reads stays one document.
        print("\n".join(mended), file=sys.stderr if args.json or args.markdown else sys.stdout)
    return 1 if examined.must_act else 0


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: {error}", 2) from error


async def _mended(patient: Patient, examined: Examined, target: str) -> list[str]:
    """The migration made, proved on a copy, and only then written; what to print about it."""
    migration: Migration = migration_of(examined)
    if not migration.mends:
        return ["Nothing that a migration could mend safely: none was written"]
    proof: Proof = await prove(patient, examined, migration)
    if not proof.holds:
        raise MendError("\n".join(["the migration does not hold on a copy, so none was written", *proof.lines()]))
    up, down = write(migration, target)
    return [*proof.lines(), f"written: {up}, {down} ({len(migration.mends)} findings mended)"]

"""`tally migrate`: bring the database to a version, look at it, or write a new migration."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

from cli.common import Failure, file_of, in_production, opened, prepare
from db.migrate import DIRECTORY, Migrations, Report, create, wait

WAIT_PAUSE_SECONDS = 0.1


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("migrate", help="bring the database to a version")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = actions.add_parser(name, help=help_, description=help_, allow_abbrev=False)
        one.add_argument("--directory", type=Path, default=DIRECTORY, metavar="DIR", help="default: db/migrations")
        return one

    up = action("up", "apply what is pending; asks nothing")
    up.add_argument("--to", type=int, metavar="VERSION", help="stop at this version")
    up.add_argument("--report", action="store_true", help="then check the database and print a validation report")
    down = action("down", "undo versions, all in one transaction; refused if rows would be lost")
    down.add_argument("--to", type=int, metavar="VERSION", help="the version to return to; default: one back")
    down.add_argument("--lose-data", action="store_true", help="rows may be lost (never in production)")
    status = action("status", "every version and its state; exit code 1 if something is wrong")
    status.add_argument("--json", action="store_true", help="as JSON")
    new = action("create", "write two empty files with the next number")
    new.add_argument("what", help="what the migration does, in a few words")
    rebuilt = action("rebuild", "write the files of a change that ALTER TABLE cannot make: the table made anew")
    rebuilt.add_argument("table", help="its rows, indexes and triggers are brought back")
    rebuilt.add_argument("what", nargs="?", help="what the migration does; default: rebuild TABLE")
    action("validate", "check files, checksums, and the live schema against the migrations")
    action("reset", "throw everything away and go up again (development only)")
    waiting = action("wait", "wait until the database answers")
    waiting.add_argument("--seconds", type=float, default=60.0, help="at most so long; default: 60")


def run(args: argparse.Namespace) -> int:
    actions = {
        "up": _up,
        "down": _down,
        "status": _status,
        "create": _create,
        "rebuild": _rebuild,
        "validate": _validate,
        "reset": _reset,
        "wait": _wait,
    }
    return asyncio.run(actions[args.action](args))


async def _up(args: argparse.Namespace) -> int:
    migrations = Migrations(args.directory)
    async with opened(args.database_url, make=True) as db:
        report = await migrations.up(db, args.to)
        _tell(report, "applied")
        if not args.report:
            return 0
        from db.migration_report import validation

        validated = await validation(db, migrations, report)
        print(f"\n{validated.text()}")
        return 0 if validated.ok else 1


async def _down(args: argparse.Namespace) -> int:
    migrations = Migrations(args.directory)
    async with opened(args.database_url) as db:
        to = args.to
        if to is None:
            to = (await migrations.status(db)).applied - 1
            if to < 0:
                raise Failure("the database is at version 0: there is nothing to undo")
        report = await migrations.down(db, to, lose_data=args.lose_data, production=in_production())
    _tell(report, "undone")
    for loss in report.lost:
        print(f"lost {loss}")
    return 0


async def _status(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        status = await Migrations(args.directory).status(db)
    if args.json:
        lines = [line._asdict() for line in status.lines]
        print(json.dumps({"migrations": lines, "problems": status.problems}, indent=2))
        return 1 if status.problems else 0
    for line in status.lines:
        print(f"{line.state:8} {line.file}  {line.applied_at or ''}".rstrip())
    print(f"{status.applied} applied, {status.pending} pending")
    if status.problems:
        raise Failure("\n".join(status.problems))
    return 0


async def _create(args: argparse.Namespace) -> int:
    for path in create(args.directory, args.what):
        print(path)
    return 0


async def _rebuild(args: argparse.Namespace) -> int:
    from db.rebuild import write

    what = args.what or f"rebuild {args.table}"
    for path in await write(Migrations(args.directory), args.directory, args.table, what):
        print(path)
    print("The same table for now: edit it, then `tally migrate up`")
    return 0


async def _validate(args: argparse.Namespace) -> int:
    migrations = Migrations(args.directory)
    async with opened(args.database_url) as db:
        if problems := await migrations.validate(db):
            raise Failure("\n".join(problems))
        status = await migrations.status(db)
    print(f"valid: {status.applied} applied, {status.pending} pending; the schema is as the migrations make it")
    return 0


async def _reset(args: argparse.Namespace) -> int:
    prepare(args.database_url, make=True)
    _tell(await Migrations(args.directory).reset(args.database_url, production=in_production()), "applied")
    return 0


async def _wait(args: argparse.Namespace) -> int:
    """Opening a file that is not there would make it, and an empty file is no shop: first it has to be there."""
    path, began = file_of(args.database_url), time.monotonic()
    left: float = args.seconds
    while path is not None and not path.is_file():
        if left <= 0:
            raise Failure(
                f"{args.database_url} did not answer within {args.seconds:g} seconds: there is no database at {path}; "
                "`tally migrate up` makes one"
            )
        await asyncio.sleep(min(WAIT_PAUSE_SECONDS, left))
        left = args.seconds - (time.monotonic() - began)
    await wait(args.database_url, max(0.0, round(left, 1)))
    print(f"answered after {time.monotonic() - began:.2f} s")
    return 0


def _tell(report: Report, done: str) -> None:
    for step in report.steps:
        took = f"  {step.seconds * 1000:.0f} ms" if step.seconds else ""
        print(f"{done} {step.migration.file}  {len(step.statements)} statements{took}")
    nothing = "" if report.steps else "nothing to do: "
    print(f"{nothing}the database is at version {report.version} ({report.seconds:.2f} s)")

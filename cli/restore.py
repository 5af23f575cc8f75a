"""`tally restore FILE`: a backup into an empty database of any engine, proved before anybody is served from it."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from cli.backup import told
from cli.common import opened
from cli.progress import Progress
from db.migrate import Migrations
from db.restore import Restored, check, restore


def add_parser(subparsers: Any) -> None:
    help_ = "bring a backup into an empty database, of any engine"
    parser = subparsers.add_parser("restore", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="what `tally backup` wrote")
    parser.add_argument("--check", action="store_true", help="only read the file, every row of it; no database")
    parser.add_argument("--again", action="store_true", help="throw away what a restore left that did not finish")
    parser.add_argument(
        "--with-violations", action="store_true", help="also if the shop broke its invariants when it was backed up"
    )


def run(args: argparse.Namespace) -> int:
    if args.check:
        with Progress() as progress:
            manifest = check(args.file, progress.tell)
        print("\n".join(told(manifest)))
        print(f"{args.file}: whole, every row as it was written")
        return 0
    done = asyncio.run(_run(args))
    print("\n".join(told(done.manifest)))
    for one in done.violated:
        print(f"VIOLATED  {one.name}: {one.sentence}")
    latest = Migrations().latest
    if done.manifest.schema_version < latest:
        asked = f", and {len(done.unasked)} more invariants to ask" if done.unasked else ""
        print(
            f"the shop is at schema version {done.manifest.schema_version} of {latest}{asked}: run `tally migrate up`"
        )
    held = "every other invariant holds" if done.violated else "every invariant holds"
    print(f"restored: every row read back as it is in the file, {held} ({done.seconds:.1f} s)")
    return 0


async def _run(args: argparse.Namespace) -> Restored:
    with Progress() as progress:
        async with opened(args.database_url, make=True) as db:
            return await restore(
                db,
                args.file,
                Migrations(),
                progress.tell,
                again=args.again,
                with_violations=args.with_violations,
            )

"""`tally seed PROFILE`: sample data; running it twice changes nothing."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from cli.common import Failure, in_production, opened, require_migrated
from db.helper import Database
from db.seeds.seeding import Seeded, SeedError, seed
from db.seeds.tables import PROFILES
from domain.search import search_text


def add_parser(subparsers: Any) -> None:
    help_ = "fill the database with a profile's sample data"
    parser = subparsers.add_parser("seed", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument(
        "profile",
        choices=PROFILES,
        help="dev: ten products; demo: a shop that looks real; prod: only what a shop needs to begin",
    )


def run(args: argparse.Namespace) -> int:
    print(told(asyncio.run(_run(args))))
    return 0


async def _run(args: argparse.Namespace) -> Seeded:
    if in_production() and args.profile != "prod":
        raise Failure(f"STAGE is production: the {args.profile} profile is sample data")
    async with opened(args.database_url) as db:
        await require_migrated(db)
        return await fill(db, args.profile)


async def fill(db: Database, profile: str) -> Seeded:
    """Seed an open database. Raises Failure."""
    try:
        return await seed(db, profile, search_text)
    except SeedError as error:
        raise Failure(f"seed {profile}: {error}") from error


def told(seeded: Seeded) -> str:
    """What was done, in one line."""
    has = ", ".join(f"{count} {table}" for table, count in seeded.present.items())
    if not seeded.inserted:
        return f"seed {seeded.profile}: nothing to do, it is all there ({has})"
    return f"seed {seeded.profile}: {sum(seeded.inserted.values())} rows inserted ({has})"

"""`tally seed PROFILE`: sample data; running it twice changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
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
    seeded, made_up = asyncio.run(_run(args))
    print(told(seeded))
    if made_up:
        print(made_up)
    return 0


async def _run(args: argparse.Namespace) -> tuple[Seeded, str | None]:
    """What was seeded, and the administrator's password if it was made up."""
    if in_production() and args.profile != "prod":
        raise Failure(f"STAGE is production: the {args.profile} profile is sample data")
    async with opened(args.database_url) as db:
        await require_migrated(db)
        seeded = await fill(db, args.profile)
        return seeded, await first_admin(db)


async def first_admin(db: Database) -> str | None:
    """Make the administrator whom ADMIN_EMAIL names, once. Returns the password if it was made up. Raises Failure."""
    email = os.environ.get("ADMIN_EMAIL")
    if not email:
        return None
    from cli.user import BY_EMAIL, make_user

    [found] = await db.read(BY_EMAIL(email=email, role="admin"))
    return None if found else await make_user(db, email, ["admin"])


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

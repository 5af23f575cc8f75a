"""`tally key`: make, list and revoke API keys. The database holds a key's hash; the key itself is shown once."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from typing import Any, Final

from api.auth import EVERYBODYS, EVERYTHING, new_key
from api.clock import milliseconds_now, stamp
from cli import derive
from cli.common import Failure, opened
from cli.keys import key_row
from db.helper import Row, insert_statements
from db.sql import unregistered

NAME_LETTERS_MAX: Final = 200
DAYS_MAX: Final = 3_650
# Handlers ask for these in passing, beside the permission that their endpoint declares.
_ASKED: Final = re.compile(r'\bmay\(\s*"([a-z_]+:[a-z_]+)"')

ALL: Final = unregistered("""
    SELECT id, prefix, name, scopes, created_at, expires_at, revoked_at FROM api_keys ORDER BY created_at, id
""")
NAMED: Final = unregistered("""
    SELECT id, prefix, name FROM api_keys WHERE id = :which OR prefix = :which ORDER BY created_at, id
""")
REVOKE: Final = unregistered("""
    UPDATE api_keys SET revoked_at = :now, updated_at = :now WHERE id = :id AND revoked_at IS NULL RETURNING id
""")


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("key", help="make, list and revoke API keys")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, help_: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = actions.add_parser(name, help=help_, description=help_, allow_abbrev=False)
        return one

    create = action("create", "make a key and print it, this once, on standard output")
    create.add_argument("name", metavar="NAME", help="who will use it, for `tally key list`")
    create.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        default=[],
        metavar="SCOPE",
        help="what it may do: domain:action, several if need be, or '*' for everything",
    )
    create.add_argument("--expires-in-days", type=days, metavar="N", help=f"1 to {DAYS_MAX}; default: never")
    action("list", "every key with its prefix, name, scopes and times")
    revoke = action("revoke", "end a key, from the next request on")
    revoke.add_argument("which", metavar="PREFIX_OR_ID", help="as `tally key list` shows them")


def run(args: argparse.Namespace) -> int:
    return asyncio.run({"create": _create, "list": _list, "revoke": _revoke}[args.action](args))


def days(text: str) -> int:
    """A whole number of days. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= DAYS_MAX):
        raise ValueError(text)
    return int(text)


def known_scopes() -> list[str]:
    """Every permission that an endpoint declares or a handler asks for."""
    found = {one.permission for one in derive.endpoints()} - {*EVERYBODYS}
    for folder in ("api", "functions"):
        for path in (derive.ROOT / folder).rglob("*.py"):
            found.update(_ASKED.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


async def _create(args: argparse.Namespace) -> int:
    name = args.name.strip()
    if not 1 <= len(name) <= NAME_LETTERS_MAX or not name.isprintable():
        raise Failure(f"a key's name has 1 to {NAME_LETTERS_MAX} printable characters", 2)
    scopes = list(dict.fromkeys(args.scope))
    known = known_scopes()
    unknown = [scope for scope in scopes if scope != EVERYTHING and scope not in known]
    if unknown or not scopes:
        said = f"no endpoint knows the scope {', '.join(map(repr, unknown))}" if unknown else "a key needs a --scope"
        raise Failure(f"{said}; there are: {', '.join(known)}, and '{EVERYTHING}' for everything", 2)
    key = new_key()[0]
    row = key_row(key, name, scopes, args.expires_in_days)
    async with opened(args.database_url) as db:
        await db.batch(insert_statements("api_keys", [row]))
    until = f"until {row['expires_at']}" if row["expires_at"] else "until it is revoked"
    # Apart from the key, so that KEY=$(tally key create …) holds nothing else.
    print(f"{row['id']} ({name}) may {', '.join(scopes)} {until}; the key is shown this once:", file=sys.stderr)
    print(key)
    return 0


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        [found] = await db.read(ALL())
    if not found:
        print("there is no API key; `tally key create` makes one")
        return 0
    rows = [("PREFIX", "NAME", "SCOPES", "CREATED", "EXPIRES", "REVOKED", "ID"), *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _cells(row: Row) -> tuple[str, ...]:
    scopes = ",".join(json.loads(row["scopes"])) or "-"
    times = (row["created_at"], row["expires_at"] or "never", row["revoked_at"] or "-")
    return (row["prefix"], row["name"], scopes, *times, row["id"])


async def _revoke(args: argparse.Namespace) -> int:
    async with opened(args.database_url) as db:
        [found] = await db.read(NAMED(which=args.which))
        if not found:
            raise Failure(f"there is no API key {args.which!r}; `tally key list` shows their prefixes and ids")
        if len(found) > 1:
            which = ", ".join(f"{row['id']} ({row['name']})" for row in found)
            raise Failure(f"{len(found)} API keys have the prefix {args.which}; name one by its id: {which}")
        [revoked] = await db.batch([REVOKE(id=found[0]["id"], now=stamp(milliseconds_now()))])
    told = "revoked" if revoked else "was revoked before"
    print(f"{found[0]['prefix']} ({found[0]['name']}) {told}")
    return 0

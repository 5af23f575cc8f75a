"""`tally audit verify`: read the whole audit log and name the first row that is not what was written. Reads only."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from typing import Any, Final

from cli.audit_chain import Broken, Verdict, verify
from cli.common import Failure, opened

WHAT: Final = {
    "changed": "is not what was written",
    "removed": "is missing",
    "swapped": "stands in another row's place",
    "added": "was never numbered by this shop",
    "value changed": "has a personal value that is not the one it was written with",
}


def add_parser(subparsers: Any) -> None:
    help_ = "hold the audit log against its own hashes; reads only"
    parser = subparsers.add_parser("audit", help=help_, description=help_, allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    told = "name the first row that was changed, removed, swapped or added; exit code 1 if there is one"
    one = actions.add_parser("verify", help=told, description=told, allow_abbrev=False)
    one.add_argument("--json", action="store_true", help="as JSON")
    one.add_argument("--head", metavar="HASH", help="a head told before: the log must still go through it")


def run(args: argparse.Namespace) -> int:
    if args.head is not None and re.fullmatch("[0-9a-f]{64}", args.head) is None:
        raise Failure("a head is 64 hexadecimal digits, as `tally audit verify` told it", 2)
    verdict = asyncio.run(_verdict(args))
    broken = verdict.broken
    if args.json:
        told = verdict._asdict() | {"whole": broken is None, "unsealed": verdict.rows - verdict.sealed}
        print(json.dumps(told | {"broken": broken._asdict() if broken else None}, indent=2))
    elif broken:
        print(f"BROKEN  {_told(broken)}")
        print(f"the {verdict.rows} rows before it are whole")
    else:
        print(f"the audit log is whole: {verdict.rows} rows, {verdict.rows - verdict.sealed} of them not sealed yet")
        if verdict.head:
            print(f"head {verdict.head}")
            print("keep it elsewhere: `tally audit verify --head HASH` tells a log that was written anew")
    return 1 if broken else 0


async def _verdict(args: argparse.Namespace) -> Verdict:
    async with opened(args.database_url) as db:
        return await verify(db, args.head)


def _told(broken: Broken) -> str:
    if broken.what == "head":
        return "head: no link of this log is the given one: rows were cut off, or all of it was written anew"
    number = f"row {broken.sequence}" if broken.sequence is not None else "a row without a number"
    return f"{broken.what}: {number} ({broken.id or 'of which no id is left'}) {WHAT[broken.what]}"

"""`tally stats`: the tables with rows and bytes, and their indexes. Reads only."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from cli.common import Failure
from cli.progress import size
from doctor.file import Unreadable
from doctor.patient import patient_of
from doctor.report import printable
from doctor.sizes import Sizes, sizes_of


def add_parser(subparsers: Any) -> None:
    help_ = "the tables with their rows and bytes, and their indexes; reads only"
    parser = subparsers.add_parser("stats", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("url", nargs="?", metavar="URL", help="a URL, or a file's path; default: --database-url")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    sizes = asyncio.run(_sizes(args.url or args.database_url))
    if args.json:
        told = {"bytes": sizes.why_no_bytes or "told", "tables": [one._asdict() for one in sizes.lines]}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    width = max([5, *(len(printable(one.name)) for one in sizes.lines)]) + 2
    print(f"{'table':<{width}}{'rows':>12}{'bytes':>12}  what it is of; rows a key, as ANALYZE counted")
    for one in sizes.lines:
        name = f"  {one.name}" if one.index_of else one.name
        rows = "" if one.index_of else "?" if one.rows is None else f"{one.rows:,}"
        bytes_ = "?" if one.bytes is None else size(one.bytes)
        of = f"  index ({', '.join(one.columns)})" if one.index_of else ""
        of += f"; {one.rows_a_key}" if one.rows_a_key else ""
        print(f"{printable(name):<{width}}{rows:>12}{bytes_:>12}{printable(of)}".rstrip())
    print("SQLite does not count how often an index is used: `tally doctor --queries FILE` says which queries use it")
    if sizes.why_no_bytes:
        print(sizes.why_no_bytes)
    return 0


async def _sizes(url: str) -> Sizes:
    try:
        async with patient_of(url) as patient:
            return await sizes_of(patient)
    except ValueError as error:
        raise Failure(str(error), 2) from error
    except Unreadable as error:
        raise Failure(str(error)) from error

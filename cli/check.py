"""`tally check`: ask every invariant; exit code 1 if one does not hold."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from cli.common import opened
from db.invariants import DIRECTORY, ROWS_MAX, Finding, check

ROWS_SHOWN = 10


def add_parser(subparsers: Any) -> None:
    help_ = "ask the invariants: queries that must return no row"
    parser = subparsers.add_parser("check", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="as JSON, with the rows that break an invariant")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, metavar="DIR", help="default: db/invariants")


def run(args: argparse.Namespace) -> int:
    findings = asyncio.run(_findings(args))
    violated = [finding for finding in findings if not finding.holds]
    if args.json:
        told = [{"name": one.name, "sentence": one.sentence, "holds": one.holds, "rows": one.rows} for one in findings]
        print(json.dumps({"violations": len(violated), "invariants": told}, indent=2, ensure_ascii=False))
        return 1 if violated else 0
    for finding in findings:
        print("\n".join(_lines(finding)))
    print(f"{len(violated)} of {len(findings)} invariants violated" if violated else f"{len(findings)} invariants hold")
    return 1 if violated else 0


async def _findings(args: argparse.Namespace) -> list[Finding]:
    async with opened(args.database_url) as db:
        return await check(db, args.directory)


def _lines(finding: Finding) -> list[str]:
    if finding.holds:
        return [f"ok    {finding.name}: {finding.sentence}"]
    count = len(finding.rows)
    many = f"{count} rows or more" if count >= ROWS_MAX else f"{count} row{'' if count == 1 else 's'}"
    shown = [f"      {json.dumps(row, ensure_ascii=False)}" for row in finding.rows[:ROWS_SHOWN]]
    more = ["      …"] if count > ROWS_SHOWN else []
    return [f"FAIL  {finding.name}: {finding.sentence} ({many})", *shown, *more]

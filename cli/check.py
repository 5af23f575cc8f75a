"""`tally check`: ask every invariant; exit code 1 if one is broken. What an engine does not answer is told as such."""

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
    parser.add_argument("--json", action="store_true", help="as JSON, with the rows that break it and the seconds")
    parser.add_argument("--deep", action="store_true", help="also read every page and every index, as far as it can")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, metavar="DIR", help="default: db/invariants")


def run(args: argparse.Namespace) -> int:
    findings = asyncio.run(_findings(args))
    violated = sum(1 for one in findings if one.rows)
    if args.json:
        told = {"violations": violated, "seconds": round(sum(one.seconds for one in findings), 3)}
        print(json.dumps(told | {"invariants": [_told(one) for one in findings]}, indent=2, ensure_ascii=False))
        return 1 if violated else 0
    for finding in findings:
        print("\n".join(_lines(finding)))
    print(_sum(findings, violated))
    return 1 if violated else 0


async def _findings(args: argparse.Namespace) -> list[Finding]:
    async with opened(args.database_url) as db:
        return await check(db, args.directory, deep=args.deep)


def _told(finding: Finding) -> dict[str, Any]:
    """`holds` is null for one that was not asked."""
    told = {"name": finding.name, "sentence": finding.sentence, "rows": finding.rows, "seconds": finding.seconds}
    if finding.not_asked is None:
        return told | {"holds": finding.holds}
    return told | {"holds": None, "not_asked": finding.not_asked}


def _sum(findings: list[Finding], violated: int) -> str:
    unasked = sum(1 for one in findings if one.not_asked is not None)
    asked = len(findings) - unasked
    told = f"{violated} of {asked} invariants violated" if violated else f"{asked} invariants hold"
    return f"{told}, {unasked} not asked" if unasked else told


def _lines(finding: Finding) -> list[str]:
    if finding.not_asked is not None:
        return [f"not asked: {finding.name} because {finding.not_asked}"]
    if finding.holds:
        return [f"ok    {finding.name}: {finding.sentence}"]
    count = len(finding.rows)
    many = f"{count} rows or more" if count >= ROWS_MAX else f"{count} row{'' if count == 1 else 's'}"
    shown = [f"      {json.dumps(row, ensure_ascii=False)}" for row in finding.rows[:ROWS_SHOWN]]
    more = ["      …"] if count > ROWS_SHOWN else []
    return [f"FAIL  {finding.name}: {finding.sentence} ({many})", *shown, *more]

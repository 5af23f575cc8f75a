"""`tally routes`: list the endpoints; write or check what is derived from them."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from cli import derive


def add_parser(subparsers: Any) -> None:
    help_ = "list the endpoints; write or check what is derived from them"
    parser = subparsers.add_parser("routes", help=help_, description=help_, allow_abbrev=False)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--write", action="store_true", help="write every derived file anew")
    either.add_argument(
        "--check", action="store_true", help="exit code 1 if a derived file has drifted or template.yaml has a defect"
    )


def run(args: argparse.Namespace) -> int:
    if args.write:
        return _write()
    return _check() if args.check else _list()


def _list() -> int:
    rows = [("METHOD", "PATH", "NAME", "PERMISSION")]
    rows += [(one.method, one.path, one.name, one.permission) for one in derive.endpoints()]
    rows += [("job", one.schedule, one.name, "") for one in derive.jobs()]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _write() -> int:
    stale = derive.drifted()
    for name, text in stale.items():
        path = derive.ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    if not stale:
        print("nothing to write: every derived file is fresh")
    return 0


def _check() -> int:
    from cli.template_checks import problems

    stale = derive.drifted()
    for name in stale:
        print(f"tally: {name} has drifted: run `tally routes --write`", file=sys.stderr)
    template = (derive.ROOT / "template.yaml").read_text(encoding="utf-8")
    wrong = problems(template, derive.ROOT)
    for problem in wrong:
        print(f"tally: template.yaml: {problem}", file=sys.stderr)
    if not stale and not wrong:
        print("every derived file is fresh")
    return 1 if stale or wrong else 0

"""`tally backup FILE`: every row of the shop, of one moment, while it sells; on every engine."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from cli.common import file_of, opened, prepare, release
from cli.progress import Progress, size
from db.backup import back_up, back_up_file
from db.backup_file import Manifest, new_file
from db.migrate import Migrations


def add_parser(subparsers: Any) -> None:
    help_ = "write every row of the shop, of one moment, into a file; the shop goes on selling"
    parser = subparsers.add_parser("backup", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("file", type=Path, metavar="FILE", help="a zip, mode 0600; refused if it exists")


def run(args: argparse.Namespace) -> int:
    began = time.perf_counter()
    try:
        manifest = asyncio.run(_run(args))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    print("\n".join(told(manifest)))
    took = time.perf_counter() - began
    print(f"{args.file}: {size(args.file.stat().st_size)}, {took:.1f} s. To look at it: tally restore --check FILE")
    return 0


async def _run(args: argparse.Namespace) -> Manifest:
    # What a backup made in a live database is taken down again, also when somebody stops it.
    task = asyncio.current_task()
    assert task is not None
    with suppress(RuntimeError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    path = file_of(args.database_url)
    prepare(args.database_url, make=False)
    with Progress() as progress, new_file(args.file) as file:

        def tell(table: str, rows: int, total: int) -> None:
            progress.tell("read", table, rows, total)

        if path is not None:
            return await back_up_file(path, file, Migrations(), release(), tell)
        async with opened(args.database_url) as db:
            return await back_up(db, file, Migrations(), release(), tell)


def told(manifest: Manifest) -> list[str]:
    """What a backup holds, a line a table."""
    lines = [f"{'table':<24}{'rows':>12}{'bytes':>16}  SHA-256"]
    lines += [f"{one.name:<24}{one.rows:>12,}{one.bytes:>16,}  {one.sha256[:16]}…" for one in manifest.tables]
    lines.append(f"{len(manifest.tables)} tables, {manifest.rows:,} rows; content SHA-256 {manifest.content_sha256}")
    lines.append(
        f"schema version {manifest.schema_version}, as of {manifest.taken_at}, from {manifest.engine} "
        f"(release {manifest.release})"
    )
    return lines

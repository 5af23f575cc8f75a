"""`tally backup` of a shop that sells without pause, `tally restore` elsewhere: is it one moment, whole, and how fast?

Goal: what was acknowledged before the backup began is in it, nothing that came after it is, and no order is half there.
Method: writers in some processes place orders through the real handler while the real command line backs the shop up;
another database, of the same or another engine, is restored from the file, and asked every invariant. The file's rows
are held against what the writers were told and against the shop's own tables, whose beginning they have to be; the
restored tables against the file: rows, heads (the newest order and stock move), and the content's SHA-256.

Prints one line of JSON: seconds, what would be lost if the database died as the backup ended, and what is wrong. Exit
codes: 0 nothing is wrong, 1 something is, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.shop import make
from db.backup_file import Reader
from db.backup_tables import BackupError
from db.helper import Database, connect
from db.sql import unregistered
from proof.books import SqlBooks
from tests.faults.backup_judged import GROWING, Held, held, judged
from tests.faults.placing import Placing, Told
from tools.engines import ENGINES, Engine, EngineError, engine

TALLY: Final = "cli.main"
HANDLER: Final = "functions.checkout"
ARTICLES, PIECES = 8, 1_000_000
PATIENCE_SECONDS: Final = 60.0
COMMAND_SECONDS: Final = 3_600
IDS_A_READ: Final = 20_000
SAID_MAX: Final = 600


class Ran(NamedTuple):
    """A command that has ended. `said`: what it told on standard error, shortened."""

    code: int
    seconds: float
    said: str


class Loaded(NamedTuple):
    """What was done to the shop: the backup, with the monotonic clock around it, and what the writers were told."""

    backup: Ran
    began: float
    ended: float
    told: Told
    source: dict[str, list[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    if min(args.writers, args.processes) < 1 or args.orders < 0:
        print("drill: writers and processes are 1 or more, orders 0 or more", file=sys.stderr)
        return 2
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("LOG_LEVEL", "error")
    try:
        with ExitStack() as ended:
            folder = Path(ended.enter_context(tempfile.TemporaryDirectory(prefix="tallystick-drill-")))
            told = _drilled(args, folder, ended)
    except EngineError as error:
        print(f"drill: {error}", file=sys.stderr)
        return 2
    print(json.dumps(told), flush=True)
    return 1 if told["wrong"] else 0


def _drilled(args: argparse.Namespace, folder: Path, ended: ExitStack) -> dict[str, Any]:
    source = ended.enter_context(engine(args.engine, folder / "source"))
    _fill(source, args.orders, folder)
    file = folder / "shop.zip"
    loaded = asyncio.run(_loaded(args, source, file))
    facts: dict[str, Any] = {
        "engine": args.engine, "to": args.to or args.engine, "writers": args.writers,
        "backup_seconds": round(loaded.backup.seconds, 2),
    }  # fmt: skip
    wrong = [*loaded.told.wrong, *(f"{key} was never answered" for key in loaded.told.unanswered)]
    wrong += _failed("backup", loaded.backup)
    try:
        found = held(file)
    except BackupError as error:
        return {**facts, "wrong": [*wrong, f"the file: {error}"]}
    more, defects = judged(found, loaded.told.placed, loaded.source, loaded.began, loaded.ended)
    facts |= {"orders": len(found.ids["orders"]), "rows": found.manifest.rows, "bytes": file.stat().st_size, **more}
    target = ended.enter_context(engine(args.to or args.engine, folder / "target"))
    restored, wrong_there = _restored(target, file, found)
    heads = {"taken_at": found.manifest.taken_at, "heads": found.heads}
    return {**facts, **restored, **heads, "wrong": [*wrong, *defects, *wrong_there]}


def _fill(source: Engine, orders: int, folder: Path) -> None:
    """A catalog, and so many orders: made in a file, and moved to another engine as a shop moves."""
    file = Path(source.url.removeprefix("sqlite:///")) if source.name == "sqlite" else folder / "made.db"
    make(file, orders)
    if source.name == "sqlite":
        return
    made = Engine("sqlite", f"sqlite:///{file}")
    for at, command in ((made, "backup"), (source, "restore")):
        if failed := _failed(command, _tally(at, command, str(folder / "made.zip"))):
            raise EngineError(failed[0])


async def _loaded(args: argparse.Namespace, source: Engine, file: Path) -> Loaded:
    os.environ.update(source.environment)
    db = await connect(source.url, token=source.token)
    try:
        variants = await SqlBooks(db).open(ARTICLES, PIECES)
        writing = Placing(HANDLER, variants, args.writers, args.processes)
        try:
            backup, began, ended = await asyncio.to_thread(_backed_up, args, source, writing, file)
            told = await asyncio.to_thread(writing.stop)
        finally:
            writing.close()
        return Loaded(backup, began, ended, told, {name: await _ids(db, name) for name in GROWING})
    finally:
        await db.close()


def _backed_up(args: argparse.Namespace, source: Engine, writing: Placing, file: Path) -> tuple[Ran, float, float]:
    """A backup in the middle of the load: writers are at work before it, while it runs, and after it."""
    writing.until(4 * args.writers, PATIENCE_SECONDS)
    began = time.monotonic()
    backup = _tally(source, "backup", str(file), module=args.backup)
    ended = time.monotonic()
    writing.until(4 * args.writers, PATIENCE_SECONDS)
    return backup, began, ended


def _restored(target: Engine, file: Path, found: Held) -> tuple[dict[str, Any], list[str]]:
    """Restore, ask the invariants, and compare with the file; how long it took, and what is wrong."""
    restore = _tally(target, "restore", str(file))
    if failed := _failed("restore", restore):
        return {"restore_seconds": round(restore.seconds, 2)}, failed
    check = _tally(target, "check")
    again = file.with_name("again.zip")
    wrong = _failed("check", check) + _failed("backup of what was restored", _tally(target, "backup", str(again)))
    if not wrong:
        wrong += asyncio.run(_compared(target, found))
        with Reader(again) as reader:
            if reader.manifest.content_sha256 != found.manifest.content_sha256:
                wrong.append(f"what was restored has the content {reader.manifest.content_sha256}, the file another")
    return {
        "restore_seconds": round(restore.seconds, 2),
        "check_seconds": round(check.seconds, 2),
        "content_sha256": found.manifest.content_sha256,
    }, wrong


async def _compared(target: Engine, found: Held) -> list[str]:
    """The rows of each table, and the heads, as the restored database counts them."""
    db = await connect(target.url, token=target.token)
    try:
        names = [table.name for table in found.manifest.tables]
        counts = await db.read(*(unregistered(f"SELECT count(*) AS n FROM {name}")() for name in names))
        newest = "SELECT id FROM {} ORDER BY rowid DESC LIMIT 1"
        heads = await db.read(*(unregistered(newest.format(name))() for name in found.heads))
    finally:
        await db.close()
    wrong = [
        f"{table.name} has {rows[0]['n']} rows, in the file {table.rows}"
        for table, rows in zip(found.manifest.tables, counts, strict=True)
        if rows[0]["n"] != table.rows
    ]
    for (name, head), rows in zip(found.heads.items(), heads, strict=True):
        if [row["id"] for row in rows] != [head]:
            wrong.append(f"the newest of {name} is {rows}, in the file {head}")
    return wrong


async def _ids(db: Database, table: str) -> list[str]:
    """All ids of a table, in the order of writing."""
    page = unregistered(f"SELECT rowid AS at, id FROM {table} WHERE rowid > :at ORDER BY rowid LIMIT {IDS_A_READ}")
    ids, at = list[str](), 0
    while True:
        [rows] = await db.read(page(at=at))
        if not rows:
            return ids
        ids += [row["id"] for row in rows]
        at = rows[-1]["at"]


def _tally(on: Engine, *words: str, module: str = TALLY) -> Ran:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**os.environ, **on.environment},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    return Ran(done.returncode, time.monotonic() - began, done.stderr.strip()[:SAID_MAX] or "without a word")


def _failed(what: str, ran: Ran) -> list[str]:
    return [f"{what} ended with {ran.code}: {ran.said}"] if ran.code else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="backup_drill.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=ENGINES, default="sqlite", help="that is backed up; default: sqlite")
    parser.add_argument("--to", choices=ENGINES, help="that is restored into; default: the same")
    parser.add_argument("--orders", type=int, default=10_000, metavar="N", help="in the shop already; default: 10000")
    parser.add_argument("--writers", type=int, default=8, metavar="N", help="default: 8")
    parser.add_argument("--processes", type=int, default=2, metavar="P", help="that hold the writers; default: 2")
    parser.add_argument(
        "--backup", default=TALLY, metavar="MODULE", help=f"the command line that backs up; default: {TALLY}"
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())

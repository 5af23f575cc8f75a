"""N buyers want more than there is: exactly what there is gets sold. For people and CI.

Goal: what the stock allows is sold, not a piece more or less; everybody else is told 409 with the lines that are short;
and the books add up. Method: N buyers wait at one barrier, as tasks of P processes that call the real handler on one
database (`--engine` says where), or as clients of a server (`--serve`, `--url`). Afterwards rows are counted, not
answers only.

All want the same scarce article: exactly `--stock` of them get it. With L lines each also wants L - 1 of 2 L others, of
which there are enough, in an order of its own. Each article's stock went down by what the placed orders hold, each line
told to be short is short, and nobody was refused who could still be served.

Prints a line of JSON for each round. Exit codes: 0 exact, 1 not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from api.clock import milliseconds_now
from db.helper import connect
from db.migrate import Migrations
from proof.books import KEY_VARIABLE, ApiBooks, Books, Left, SqlBooks
from proof.memory import Memory
from tests.race.buyers import Buyer, Crowd, Told
from tools.engines import ENGINES, EngineError, engine

HANDLER: Final = "functions.checkout"


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments)
    if min(args.buyers, args.lines, args.processes, args.rounds) < 1 or args.stock < 0 or args.lines > 100:
        print("race: buyers, lines (at most 100), processes and rounds are 1 or more, stock 0 or more", file=sys.stderr)
        return 2
    if args.serve and args.url:
        print("race: --serve or --url", file=sys.stderr)
        return 2
    if args.url and not args.database_url and KEY_VARIABLE not in os.environ:
        print(f"race: with --url, give --database-url too, or an API key in {KEY_VARIABLE}", file=sys.stderr)
        return 2
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ.setdefault("LOG_LEVEL", "error")
    if args.database_url:
        os.environ["DATABASE_URL"] = args.database_url
    try:
        with ExitStack() as ended:
            url = args.database_url or ("" if args.url else _started(args.engine, ended))
            if args.serve:
                args.url = ended.enter_context(_served(url))
            return 0 if asyncio.run(_rounds(args, url)) else 1
    except EngineError as error:
        print(f"race: {error}", file=sys.stderr)
        return 2


def _started(name: str, ended: ExitStack) -> str:
    """The URL of an empty, migrated database, which lives until `ended`, and whose token is in the environment."""
    folder = ended.enter_context(tempfile.TemporaryDirectory(prefix="tallystick-race-"))
    started = ended.enter_context(engine(name, Path(folder)))
    os.environ.update(started.environment)
    asyncio.run(_migrate(started.url))
    return started.url


async def _migrate(url: str) -> None:
    db = await connect(url)
    try:
        await Migrations().up(db)
    finally:
        await db.close()


@contextmanager
def _served(url: str) -> Iterator[str]:
    """The address of a server on the database."""
    command = [sys.executable, "-m", "cli.main", "--database-url", url, "serve", "--port", "0", "--no-jobs"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().removeprefix("Tallystick serves ").strip()
        finally:
            server.terminate()
            server.wait(40)


async def _rounds(args: argparse.Namespace, url: str) -> bool:
    db = await connect(url) if url else None
    crowd = None
    try:
        books: Books = SqlBooks(db) if db is not None else ApiBooks(args.url)
        crowd = Crowd(min(args.processes, args.buyers), args.url or args.handler)
        exact = True
        for _ in range(args.rounds):
            told = await race(crowd, books, args.buyers, args.stock, args.lines)
            print(json.dumps(told), flush=True)
            exact = exact and not told["errors"] and not told["violations"]
        return exact
    finally:
        if crowd is not None:
            crowd.close()
        if db is not None:
            await db.close()


async def race(crowd: Crowd, books: Books, count: int, stock: int, lines: int) -> dict[str, Any]:
    """One round: buyers, stock, placed, refused, errors, seconds, violations."""
    began = milliseconds_now()
    [scarce] = await books.open(1, stock)
    others = await books.open(2 * lines, 2 * count) if lines > 1 else []
    opened = {scarce: stock, **dict.fromkeys(others, 2 * count)}
    allowed = min(count, stock)
    run = secrets.token_hex(8)
    buyers = [Buyer(f"race-{run}-{number}", _cart(scarce, others, lines)) for number in range(count)]
    told, seconds = crowd.race(buyers)
    placed = [buyer for buyer, answer in zip(buyers, told, strict=True) if answer.status == 201]
    refused = [(buyer, answer) for buyer, answer in zip(buyers, told, strict=True) if _is_refusal(answer)]
    errors = [answer for answer in told if answer.status != 201 and not _is_refusal(answer)]
    for answer in errors[:3]:
        print(f"race: {answer.status} {str(answer.body)[:300]}", file=sys.stderr)
    left = await books.left(list(opened))
    memory = Memory(opened, began=began)
    for buyer, answer in zip(buyers, told, strict=True):
        if answer.status == 201:
            memory.placed(buyer.key, answer.body["id"], buyer.cart)
    violations = [
        *([f"{len(placed)} placed, the stock allows {allowed}"] if len(placed) != allowed else []),
        *_wrongly_refused(refused, left),
        *(await books.compare(memory)).all(),
    ]
    return {
        "buyers": count,
        "stock": stock,
        "placed": len(placed),
        "refused": len(refused),
        "errors": len(errors),
        "seconds": round(seconds, 3),
        "violations": violations,
    }


def _is_refusal(answer: Told) -> bool:
    return answer.status == 409 and isinstance(answer.body, dict) and answer.body.get("code") == "insufficient_stock"


def _cart(scarce: str, others: Sequence[str], lines: int) -> dict[str, int]:
    """One piece of the scarce article and one or two each of some others, in an order of its own."""
    chosen = [(scarce, 1), *((variant, random.choice((1, 2))) for variant in random.sample(others, lines - 1))]
    random.shuffle(chosen)
    return dict(chosen)


def _wrongly_refused(refused: Sequence[tuple[Buyer, Told]], left: Mapping[str, Left]) -> list[str]:
    """Each refused buyer was told which lines are short, they are short at the end, too, and nobody could be served."""
    wrong = []
    for buyer, answer in refused:
        named = answer.body.get("lines") or []
        if not named:
            wrong.append(f"{buyer.key} was refused without a line")
        for line in named:
            variant, asked, available = line["variant_id"], line["requested"], line["available"]
            if buyer.cart.get(variant) != asked or not 0 <= available < asked:
                wrong.append(f"{buyer.key} was told {line}")
            elif left[variant].stock >= asked:
                wrong.append(f"{buyer.key} was told that {variant} is short, and {left[variant].stock} are left")
        if all(left[variant].stock >= asked for variant, asked in buyer.cart.items()):
            wrong.append(f"{buyer.key} was refused what could be sold")
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="race_checkout.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--buyers", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--stock", type=int, default=10, metavar="K", help="pieces of the scarce article; default: 10")
    parser.add_argument("--lines", type=int, default=1, metavar="L", help="of each cart; default: 1")
    parser.add_argument("--processes", type=int, default=4, metavar="P", help="that hold the buyers; default: 4")
    parser.add_argument(
        "--engine", choices=ENGINES, default=os.environ.get("ENGINE", "sqlite"),
        help="that is started for the race; default: ENGINE of the environment, or sqlite, which is a file",
    )  # fmt: skip
    parser.add_argument("--serve", action="store_true", help="buy from a server that is started for the race")
    parser.add_argument("--url", help="of a server to buy from, instead of calling the handler")
    parser.add_argument(
        "--database-url", metavar="URL",
        help="a migrated one, with --url the server's own (DATABASE_TOKEN is its token); default: a new one of "
        f"--engine, with --url the API ({KEY_VARIABLE})",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=1, metavar="R", help="default: 1")
    parser.add_argument(
        "--handler", default=HANDLER, metavar="MODULE", help=f"the checkout under test; default: {HANDLER}"
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder and the processes go, too
    sys.exit(main())

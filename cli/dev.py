"""`tally dev`, behind `make dev`: from a fresh clone to a shop that answers, in one command."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shlex
from typing import Any, Final

from api.auth import EVERYTHING, KEY_BY_HASH, KEY_PREFIX, hash_of, new_key
from api.clock import milliseconds_now, stamp
from api.settings import settings
from cli.common import FOLDER, Failure, in_production, opened, prepare
from cli.keys import ensure_secret_key, kept, key_row
from cli.seed import fill, told
from cli.serve import PORT_DEFAULT, listen, port, port_of, serve, url_of
from db.helper import Conflict, Database, insert_statements
from db.migrate import Migrations
from db.sql import unregistered

HOST: Final = "127.0.0.1"
ADMIN_KEY_FILE: Final = "admin_api_key"

# Whatever the shelf has most of: the line should still work on the hundredth day.
_FOR_SALE: Final = unregistered("""
    SELECT v.id, v.title AS variant, p.title FROM live_products p JOIN live_variants v ON v.product_id = p.id
    JOIN inventory i ON i.variant_id = v.id
    WHERE p.status = 'ACTIVE' AND p.inventory_policy <> 'DENY' AND i.stock > 0 ORDER BY i.stock DESC, v.id LIMIT 1
""")


def add_parser(subparsers: Any) -> None:
    help_ = "migrate, seed the demo shop, and serve it with reload"
    parser = subparsers.add_parser("dev", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("--port", type=port, default=None, help=f"default: PORT, else {PORT_DEFAULT}")


def run(args: argparse.Namespace) -> int:
    """Make ready, print where everything is, and serve until a signal ends it. Raises Failure."""
    if in_production():
        raise Failure("STAGE is production: `tally dev` seeds sample data and prints a key. Use `tally serve`.")
    with listen(HOST, port_of(args)) as listening:  # first, so that a busy port changes nothing
        prepare(args.database_url, make=True)
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        FOLDER.chmod(0o700)
        ensure_secret_key()
        settings()  # before anything is migrated or printed
        key = kept(ADMIN_KEY_FILE, new_key()[0])
        variant = asyncio.run(make_ready(args.database_url, key))
        print(banner(url_of(listening), key, variant), flush=True)
        return serve(listening, reload=True, workers=1, jobs=True)


async def make_ready(url: str, key: str) -> str | None:
    """Migrate, seed, and put the key's hash into the database. Returns a variant that can be ordered."""
    async with opened(url, make=True) as db:
        report = await Migrations().up(db)
        print(f"migrate: {len(report.steps)} applied, the database is at version {report.version}")
        print(told(await fill(db, "demo")))
        await ensure_key(db, key)
        [rows] = await db.read(_FOR_SALE())
    return rows[0]["id"] if rows else None


async def ensure_key(db: Database, key: str) -> None:
    """The hash of `key` stands in the database, with every permission. Raises Failure for a key that was revoked."""
    where = FOLDER / ADMIN_KEY_FILE
    if not key.startswith(KEY_PREFIX):
        raise Failure(f"{where} holds no API key: remove it, the next start makes a new one")
    now = stamp(milliseconds_now())
    [found] = await db.read(KEY_BY_HASH(hash=hash_of(key)))
    if not found:
        row = key_row(key, "Administrator of this development machine", [EVERYTHING])
        try:
            await db.batch(insert_statements("api_keys", [row]))
        except Conflict as error:
            if error.kind != "unique":  # else a second start was faster
                raise
    elif found[0]["revoked_at"] or (found[0]["expires_at"] or "9") <= now:
        raise Failure(f"the key in {where} was revoked or has expired: remove the file, the next start makes a new one")


def banner(url: str, key: str, variant: str | None) -> str:
    """Where everything is. The last line places an order, when it is pasted as it is."""
    return "\n".join(
        [
            "",
            f"  Shop           {url}",
            f"  Documentation  {url}/docs",
            f"  Administrator  {key}",
            f"                 (an API key for `Authorization: Bearer …`, kept in {FOLDER / ADMIN_KEY_FILE})",
            "",
            *(
                ["  This line places an order; sent again as it is, it answers the same order:", "", curl(url, variant)]
                if variant
                else ["  Nothing is in stock, so there is nothing to order."]
            ),
            "",
        ]
    )


def curl(url: str, variant: str) -> str:
    """A line for any POSIX shell that orders one piece of `variant`, under a key of its own."""
    body = {
        "lines": [{"variant_id": variant, "quantity": 1}],
        "customer": {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"},
        "shipping_address": {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"},
    }
    words = [
        "curl", "-i", f"{url}/checkout",
        "-H", "Content-Type: application/json",
        "-H", f"Idempotency-Key: {secrets.token_hex(8)}",
        "-d", json.dumps(body),
    ]  # fmt: skip
    return shlex.join(words)

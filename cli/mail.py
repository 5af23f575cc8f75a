"""`tally mail`: the mail that waits in the outbox, as it would be sent. For a laptop without a mail server."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, Final

from api.mail import TOPIC
from api.settings import settings
from cli.common import Failure, in_production, opened
from cli.keys import ensure_secret_key
from db.helper import Row
from db.sql import unregistered
from providers.mail import compose

WAITING: Final = unregistered("""
    SELECT id, topic, payload, created_at FROM outbox
    WHERE sent_at IS NULL AND topic > 'mail.' AND topic < 'mail/' AND payload <> '{}' ORDER BY created_at, id
""")


def add_parser(subparsers: Any) -> None:
    help_ = "the mail that waits in the outbox, the newest last"
    parser = subparsers.add_parser("mail", help=help_, description=help_, allow_abbrev=False)
    parser.add_argument("--last", action="store_true", help="the newest alone")
    parser.add_argument("--token", action="store_true", help="of each nothing but the token of its link")


def run(args: argparse.Namespace) -> int:
    """Print it. Raises Failure where --token finds none; and in production, where whoever reads a token has somebody's
    account."""
    if in_production():
        raise Failure("STAGE is production: mail is for those it is sent to. Set SMTP_URL, and it goes out.")
    ensure_secret_key()
    rows = asyncio.run(_waiting(args.database_url))
    shown = 0
    for row in rows[-1:] if args.last else rows:
        payload = json.loads(row["payload"])
        if args.token:
            if "token" in payload:
                print(payload["token"])
                shown += 1
            continue
        kind, known = row["topic"].removeprefix(TOPIC), settings()
        message = compose(row["id"], kind, payload, sender=known.mail_from, shop_url=known.shop_url)
        print(f"--- {row['created_at']}\nTo: {message['To']}\nSubject: {message['Subject']}\n\n{message.get_content()}")
    if args.token and not shown:
        raise Failure("no mail that waits has a link with a token")
    if not rows:
        print("no mail waits")
    return 0


async def _waiting(url: str) -> list[Row]:
    async with opened(url) as db:
        [rows] = await db.read(WAITING())
        return rows

"""What is asked of the shop: requests as API Gateway events, and the SQL that the handlers send for them, recorded."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from api import database as api_database
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from api.settings import settings
from api.tokens import Session, write_access_token
from bench.shop import VARIANTS, variant
from db.engines.sqlite import open_connection, run_batch, run_read
from db.engines.trips import Stopwatch
from db.helper import Results
from db.sql import Statement

CHECKOUT: Final = "functions.checkout"
LIST: Final = "functions.catalog.list_products"
LINES: Final = 2
LIST_LENGTH: Final = 20
CUSTOMER: Final = {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"}
ADDRESS: Final = {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"}

DAY_SECONDS: Final = 86_400
CUSTOMER_ROWS: Final = (
    """
    INSERT INTO users (id, email, email_verified_at, created_at, updated_at)
    VALUES (:user_id, 'eleni@example.com', :now, :now, :now)
    """,
    """
    INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)
    SELECT :user_id, id, :now, :now, :now FROM roles WHERE name = 'customer'
    """,
    """
    INSERT INTO user_sessions (id, user_id, refresh_token_hash, last_used_at, expires_at, created_at, updated_at)
    VALUES (:session_id, :user_id, printf('%064d', 0), :now, :later, :now, :now)
    """,
)

Sent = tuple[str, tuple[Any, ...]]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def prepare(place: Path | str) -> None:
    """Point this process's handlers at a file or a URL, quietly, on a loop of its own as in a warm Lambda."""
    url = place if isinstance(place, str) else f"sqlite:///{place}"
    os.environ.update(
        DATABASE_URL=url, SECRET_KEY="0123456789abcdef" * 4, LOG_LEVEL="error", STAGE="production", BCRYPT_COST="12"
    )  # fmt: skip
    settings.cache_clear()
    asyncio.set_event_loop(asyncio.new_event_loop())


def handler_of(module: str) -> Handler:
    """The Lambda handler of a function's module."""
    handler: Handler = importlib.import_module(module).handler
    return handler


def event(
    method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: str = ""
) -> dict[str, Any]:
    """An API Gateway HTTP API event, payload format 2.0, with the headers that a browser's request has there."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "accept": "application/json",
            "accept-language": "el,en;q=0.8",
            "content-length": str(len(body)),
            "host": "shop.example",
            "user-agent": "bench",
            "x-amzn-trace-id": "Root=1-692017a0-0123456789abcdef01234567",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "shop.example",
            "domainPrefix": "shop",
            "http": http,
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"{method} {path}",
            "stage": "$default",
            "time": "21/Nov/2026:08:00:00 +0000",
            "timeEpoch": 1795248000000,
        },
        "body": body or None,
        "isBase64Encoded": False,
    }


def checkout_body(chance: random.Random) -> str:
    lines = [
        {"variant_id": variant(number), "quantity": chance.randint(1, 3)}
        for number in chance.sample(range(VARIANTS), LINES)
    ]
    return json.dumps({"lines": lines, "customer": CUSTOMER, "shipping_address": ADDRESS})


def checkout_events(seed: int, token: str | None = None) -> Iterator[dict[str, Any]]:
    """Checkouts of random lines, each with a key of its own; of the person whose access token is given."""
    chance = random.Random(seed)
    person = {"authorization": f"Bearer {token}"} if token else {}
    while True:
        key = f"{chance.getrandbits(128):032x}"
        headers = {"content-type": "application/json", "idempotency-key": key, **person}
        yield event("POST", "/checkout", headers=headers, body=checkout_body(chance))


def customer(path: Path) -> str:
    """A customer with a session in the file. Returns an access token, good for a day."""
    [user_id, session_id] = [typeids(prefix, 1, milliseconds_now())[0] for prefix in ("user", "session")]
    now = milliseconds_now()
    values = {"user_id": user_id, "session_id": session_id, "now": stamp(now), "later": stamp(now + DAY_SECONDS * 1000)}
    with closing(open_connection(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for sql in CUSTOMER_ROWS:
            connection.execute(sql, {name: value for name, value in values.items() if f":{name}" in sql})
        connection.execute("COMMIT")
    return write_access_token(settings().secret_key, Session(user_id, session_id), now, DAY_SECONDS)


def list_events(handler: Handler, pages: int) -> list[dict[str, Any]]:
    """The first `pages` pages of the product list."""
    events, cursor = [], None
    for _ in range(pages):
        query = f"limit={LIST_LENGTH}" + (f"&cursor={cursor}" if cursor else "")
        events.append(event("GET", "/products", query))
        cursor = json.loads(asked(handler, events[-1]))["next_cursor"]
    return events


def asked(handler: Handler, sent: dict[str, Any]) -> str:
    """The answer's body. Raises RuntimeError unless it is a success."""
    answer = handler(sent, None)
    if answer["statusCode"] >= 300:
        raise RuntimeError(f"{sent['rawPath']} answered {answer['statusCode']}: {answer.get('body')}")
    body: str = answer["body"]
    return body


class Recorder:
    """A database that runs what a handler sends, in place and without waiting for the disk, and remembers it."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        self.trips = 0
        self.reads: list[Sent] = []
        self.writes: list[Sent] = []
        self._connection = open_connection(path)
        self._connection.execute("PRAGMA synchronous = OFF")
        api_database._client, api_database._url = self, f"sqlite:///{path}"

    async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
        self.reads += [(sql.text, values) for sql, values in statements]
        return run_read(self._connection, statements, Stopwatch())

    async def batch(self, statements: Sequence[Statement]) -> Results:
        self.writes += [(sql.text, values) for sql, values in statements]
        return run_batch(self._connection, statements, Stopwatch())

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        self._connection.close()

    def record(self, handler: Handler, sent: dict[str, Any]) -> tuple[list[Sent], list[Sent]]:
        """The statements that `handler` sends for one request: those of its read, those of its batch."""
        self.reads, self.writes = [], []
        asked(handler, sent)
        return self.reads, self.writes

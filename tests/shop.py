"""A shop for tests: requests go in as API Gateway events, through the real handlers; rows come by a raw connection."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import importlib
import json
import pkgutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import bcrypt
import pytest
from pydantic import TypeAdapter

import functions
from api import call as api_call
from api import clock
from api import endpoint as api_endpoint
from api.auth import EVERYTHING, hash_of, new_key
from api.database import close_database
from api.endpoint import REGISTRY, Endpoint
from api.ids import typeids
from api.problems import CODES
from api.settings import settings
from api.tokens import Session, write_access_token
from db.helper import connect
from db.migrate import Migrations
from tests.engines.homes import Home
from tools.runtime.events import event

LOOP = asyncio.new_event_loop()
"""One event loop for all handlers, as in a warm Lambda; closed by the session's last fixture."""
WINDOW_SECONDS, MARGIN_SECONDS = 900, 8
LOCATION = "location_00000000000000000000000000"
DIRECTORY = Path(__file__).parent.parent / "db" / "migrations"
EVERYWHERE = {
    "malformed_json", "unauthenticated", "forbidden", "not_found", "method_not_allowed", "payload_too_large",
    "unsupported_media_type", "invalid", "idempotency_key_required", "idempotency_key_reused",
    "precondition_required", "stale_version", "busy", "outcome_unknown", "missing_reference",
    "csrf_token_invalid", "step_up_required",
}  # fmt: skip


@functools.cache
def endpoints() -> dict[str, Endpoint]:
    """Every endpoint by name; imports all handlers."""
    for module in pkgutil.walk_packages(functions.__path__, "functions."):
        if not module.ispkg:
            importlib.import_module(module.name)
    return REGISTRY


def find(method: str, path: str) -> Endpoint:
    fits = [one for one in endpoints().values() if one.pattern.fullmatch(unquote(path)) and one.method == method]
    assert fits, f"no endpoint for {method} {path}"
    return min(fits, key=lambda one: len(one.path_names))


@functools.cache
def _shape_of(name: str) -> TypeAdapter[Any]:
    """What the endpoint declares to answer."""
    return TypeAdapter(endpoints()[name].response)


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: dict[str, str]
    text: str
    cookies: tuple[str, ...] = ()
    """Set-Cookie values, as they stand."""


def invoke(endpoint: Endpoint, sent: dict[str, Any]) -> Reply:
    """Hand the event to the endpoint's Lambda handler and hold the answer against what the endpoint declares."""
    asyncio.set_event_loop(LOOP)  # a test that used asyncio.run has left none behind
    answer = importlib.import_module(endpoint.module).handler(sent, None)
    raw = answer.get("body") or ""
    text = base64.b64decode(raw).decode() if answer.get("isBase64Encoded") else raw
    body = json.loads(text) if text else None
    status = answer["statusCode"]
    if status < 300 and body is not None:
        _shape_of(endpoint.name).validate_json(text)
    if status >= 400:
        assert body is not None
        assert answer["headers"]["content-type"] == "application/problem+json"
        assert body["status"] == status == CODES[body["code"]][0]
        assert {"type", "title", "detail", "instance"} <= body.keys()
        assert body["code"] in {*endpoint.errors, *EVERYWHERE}, f"{endpoint.name} does not declare {body['code']}"
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    return Reply(status, body, headers, text, tuple(answer.get("cookies") or ()))


def migrated_file(path: Path) -> Path:
    async def migrate() -> None:
        db = await connect(f"sqlite:///{path}")
        await Migrations(DIRECTORY).up(db)
        await db.close()

    LOOP.run_until_complete(migrate())
    return path


def away_from_the_end_of_a_window() -> None:
    """Counts of tries begin anew each quarter of an hour: no test begins in the last seconds of one."""
    left = WINDOW_SECONDS - time.time() % WINDOW_SECONDS
    if left < MARGIN_SECONDS:
        time.sleep(left)


class Shop:
    _tables: ClassVar[list[str]] = []

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        away_from_the_end_of_a_window()
        self.url, self.raw, self.patch = home.url, home.raw, monkeypatch
        self._path = home.path
        monkeypatch.setenv("DATABASE_URL", self.url)
        settings.cache_clear()
        self._made = 0
        self._drawn = 0
        self._moved = 0
        self.admin = self.api_key(EVERYTHING)

    @property
    def path(self) -> Path:
        """The shop's file."""
        assert self._path is not None, "only an embedded shop has a file"
        return self._path

    def close(self) -> None:
        LOOP.run_until_complete(close_database())
        settings.cache_clear()

    # -- asking

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        api_key: str | None = None,
        idempotency_key: str | None = None,
        token: str | None = None,
        cart_token: str | None = None,
        if_match: int | str | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("content-type", "application/json")
        if api_key:
            sent["authorization"] = f"Bearer {api_key}"
        if token:
            sent["authorization"] = f"Bearer {token}"
        if idempotency_key is not None:
            sent["idempotency-key"] = idempotency_key
        if cart_token:
            sent["x-cart-token"] = cart_token
        if if_match is not None:
            sent["if-match"] = f'"{if_match}"' if isinstance(if_match, int) else if_match
        endpoint = find(method, target.partition("?")[0])
        return invoke(endpoint, event(method, target, headers=sent, body=body))

    def get(self, target: str, **sent: Any) -> Reply:
        return self.request("GET", target, **sent)

    def post(self, target: str, body: Any = None, **sent: Any) -> Reply:
        return self.request("POST", target, {} if body is None else body, **sent)

    def patch_(self, target: str, body: Any = None, **sent: Any) -> Reply:
        return self.request("PATCH", target, {} if body is None else body, **sent)

    def delete(self, target: str, **sent: Any) -> Reply:
        return self.request("DELETE", target, **sent)

    # -- rows

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[list[tuple[Any, ...]]] = self.raw.many([(sql, values)])
        return found[0]

    def one(self, sql: str, *values: Any) -> Any:
        return self.rows(sql, *values)[0][0]

    def execute(self, sql: str, *values: Any) -> None:
        self.raw.execute(sql, values)

    def insert(self, table: str, **values: Any) -> None:
        self.raw.insert(table, values)

    def tables(self) -> list[str]:
        """The names of the tables: of any shop, because all are copies of one."""
        if not Shop._tables:
            found = self.rows(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 14) <> 'product_search'"
                " AND substr(name, 1, 4) <> '_cf_' AND substr(name, 1, 7) <> 'sqlite_'"
            )
            Shop._tables = [name for (name,) in found]
        return Shop._tables

    def digest(self) -> dict[str, str]:
        """A hash of every table's rows."""
        names = self.tables()
        tables = self.raw.many([(f"SELECT * FROM {name} ORDER BY 1, 2", ()) for name in names])
        return {name: hashlib.sha256(repr(rows).encode()).hexdigest() for name, rows in zip(names, tables, strict=True)}

    @contextmanager
    def unchanged(self, *but: str) -> Iterator[None]:
        """No table changes meanwhile, but for those named."""
        before = self.digest()
        yield
        after = self.digest()
        assert {name for name in after if after[name] != before[name]} - {*but} == set(), "tables changed"

    def checked(self) -> None:
        """Every invariant of db/invariants holds."""
        files = sorted((DIRECTORY.parent / "invariants").glob("*.sql"))
        found = self.raw.many([(file.read_text().rstrip().rstrip(";"), ()) for file in files])
        assert {file.name: rows for file, rows in zip(files, found, strict=True) if rows} == {}

    # -- having

    def ids(self, prefix: str, count: int = 1) -> list[str]:
        """Each call's sort after those of the calls before, also within a millisecond."""
        self._drawn = max(self._drawn + 1, clock.milliseconds_now())
        return typeids(prefix, count, self._drawn)

    @property
    def now(self) -> str:
        return clock.stamp(clock.milliseconds_now())

    def clock(self, seconds: int) -> None:
        """Move the shop's clock by `seconds` from now on."""
        self._moved += seconds
        real, moved = _real_now, self._moved

        def moved_now() -> int:
            return real() + moved * 1000

        self.patch.setattr(clock, "milliseconds_now", moved_now)
        self.patch.setattr(api_call, "milliseconds_now", moved_now)
        self.patch.setattr(api_endpoint, "milliseconds_now", moved_now)

    def api_key(self, *scopes: str) -> str:
        key, prefix, hashed = new_key()
        self.insert(
            "api_keys", id=self.ids("apikey")[0], name="test", prefix=prefix, hash=hashed,
            scopes=json.dumps(list(scopes)), created_at=self.now, updated_at=self.now,
        )  # fmt: skip
        return key

    def user(
        self,
        *roles: str,
        email: str | None = None,
        password: str | None = None,
        status: str = "ACTIVE",
        verified: bool = True,
    ) -> str:
        """A user with `roles`, written as rows. Returns the id; `session` logs them in."""
        self._made += 1
        now = self.now
        user_id = self.ids("user")[0]
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode() if password else None
        with self.raw.together():
            self.insert(
                "users", id=user_id, email=email or f"user-{self._made}@example.com", status=status,
                password_hash=hashed, email_verified_at=now if verified else None, created_at=now, updated_at=now,
            )  # fmt: skip
            for role in roles:
                self.execute(
                    "INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at)"
                    " SELECT ?, id, ?, ?, ? FROM roles WHERE name = ?", user_id, now, now, now, role,
                )  # fmt: skip
        return user_id

    def grant(self, user_id: str, permission: str, effect: str = "ALLOW") -> None:
        """One permission for one user, or its denial."""
        self.execute(
            "INSERT INTO user_permissions (user_id, permission_id, effect, assigned_at, created_at, updated_at)"
            " SELECT ?, id, ?, ?, ?, ? FROM permissions WHERE key = ?",
            user_id, effect, self.now, self.now, self.now, permission,
        )  # fmt: skip

    def session(self, user_id: str, *, stepped_up: bool = False) -> str:
        """A session of a user, written as a row. Returns its access token (`token=` of a request)."""
        session_id, now = self.ids("session")[0], self.now
        milliseconds = clock.milliseconds_now()
        self.insert(
            "user_sessions", id=session_id, user_id=user_id, refresh_token_hash=hash_of(session_id), last_used_at=now,
            stepped_up_at=now if stepped_up else None, expires_at=clock.stamp(milliseconds + 86_400_000),
            created_at=now, updated_at=now,
        )  # fmt: skip
        secrets = settings().secret_key
        return write_access_token(secrets, Session(user_id, session_id), milliseconds, 900)

    def variant(
        self,
        *,
        stock: int = 10,
        price: int = 1299,
        title: str | None = None,
        policy: str = "TRACK",
        currency: str = "EUR",
        status: str = "ACTIVE",
        product_id: str | None = None,
        size: str | None = None,
    ) -> str:
        """A variant that can be sold, with its product, stock row and opening move. Returns its id."""
        self._made += 1
        number, now = self._made, self.now
        times = {"created_at": now, "updated_at": now}
        is_primary = product_id is None
        with self.raw.together():
            if product_id is None:
                product_id = self.ids("product")[0]
                self.insert(
                    "products", id=product_id, slug=f"product-{number}", title=title or f"Product {number}",
                    status=status, price=price, currency=currency, inventory_policy=policy, **times,
                )  # fmt: skip
            variant_id = self.ids("variant")[0]
            self.insert(
                "variants", id=variant_id, product_id=product_id, sku=f"SKU-{number}",
                title=title or f"Variant {number}", size=size, price=price, is_primary=int(is_primary), **times,
            )  # fmt: skip
            self.insert("inventory", variant_id=variant_id, location_id=LOCATION, stock=stock, **times)
            self.insert(
                "stock_moves", id=self.ids("move")[0], variant_id=variant_id, location_id=LOCATION, delta=stock,
                reason="adjustment", balance_after=stock, actor="test", created_at=now,
            )  # fmt: skip
        return variant_id

    def checkout_body(self, lines: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "customer": {"name": "Eleni", "phone": "+306912345678", "email": "eleni@example.com"},
            "shipping_address": {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"},
        }
        if lines is not None:
            body["lines"] = [{"variant_id": variant, "quantity": quantity} for variant, quantity in lines.items()]
        return {**body, **more}

    def order(self, lines: dict[str, int], **sent: Any) -> Any:
        """A placed order: the body of the 201."""
        self._made += 1
        reply = self.post("/checkout", self.checkout_body(lines), idempotency_key=f"order-{self._made}", **sent)
        assert reply.status == 201, reply.text
        return reply.body


_real_now = clock.milliseconds_now

"""What the tests of backup and restore share: a shop with a row in every table, files, databases, lost answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import zipfile
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from db.backup import back_up, back_up_file
from db.backup_file import MANIFEST, Manifest, new_file
from db.helper import Database, Results, Unknown, connect
from db.migrate import Migrations
from db.restore import Restored, restore
from db.seeds.seeding import seed
from db.sql import Statement
from domain.search import search_text
from tests.db.migration_support import rows
from tests.engines.homes import FileHomes
from tests.functions.carts.support import guest
from tests.functions.jobs.support import run
from tests.functions.orders.support import brought, use_up
from tests.functions.stock.support import adjust, held
from tests.shop import LOOP, Shop

Result = TypeVar("Result")
RELEASE = "0.0.1"
BIG = 2**63 - 1
TEXTS = {
    "empty": "",
    "unicode": "μέλι, बगैंचा, ığüş, 🐝, e\u0301, \u2028, \x7f",
    "escapes": "\"quotes\", 'apostrophes', \\back\\slashes\\n, \t, \n, \r\n, \x01\x1f, </script>",
    "like JSON": '[1, {"a": null}]',
    "like numbers": "0012",
    "long": "long " * 60_000,
}


def quiet(*_: object) -> None:
    """Told how far it is."""


def going(coroutine: Coroutine[Any, Any, Result]) -> Result:
    return LOOP.run_until_complete(coroutine)


def made_lively(template: Path, folder: Path) -> Path:
    """A `lively` shop in a file of `folder`."""
    asyncio.set_event_loop(LOOP)  # a fixture of the session comes before the one that does this for each test
    home = FileHomes(folder, template).home(folder)
    with pytest.MonkeyPatch.context() as patch:
        shop = Shop(home, patch)
        lively(shop)
        shop.close()
    home.raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    home.raw.close()
    return shop.path


def lively(shop: Shop) -> None:
    """A row at least in every table, made by the handlers where there is one, and values that are hard to carry."""
    going(_sown(shop.url))
    for status in ("PENDING", "PAID", "DELIVERED", "CANCELLED"):
        brought(shop, status)
    variant = shop.variant(policy="CONTINUE", stock=1)
    shop.order({variant: 3})
    adjust(shop, variant, 2, "receipt")
    held(shop, shop.variant(), 2)
    guest(shop, {shop.variant(): 1})
    use_up(shop, "7K3M-9QPX", 1)
    shop.post("/events", {"event_type": "pageview", "timestamp": "2026-11-01T10:00:00.000Z"})
    shop.insert("analytics_daily", date="2026-11-01", event_type="a", events=1, users=0, sessions=0, **_times(shop))
    _by_hand(shop)
    _people(shop, "user_1")
    run("seal_audit_logs")
    shop.checked()


def _people(shop: Shop, user: str) -> None:
    """A row in each table of a person's, and of what they may."""
    times, late = _times(shop), {"expires_at": "2999-01-01T00:00:00.000Z"}
    shop.session(user)
    shop.grant(user, "stock:read")
    shop.execute(
        "INSERT INTO user_roles (user_id, role_id, assigned_at, created_at, updated_at) "
        "SELECT ?, id, ?, ?, ? FROM roles WHERE name = 'customer'", user, shop.now, shop.now, shop.now
    )  # fmt: skip
    session = shop.one("SELECT id FROM user_sessions")
    shop.insert("used_refresh_tokens", token_hash="b" * 64, session_id=session, **times)
    shop.insert("verification_tokens", id="token_1", user_id=user, purpose="REGISTER", email="eleni@example.com",
                token_hash="c" * 64, **late, **times)  # fmt: skip
    shop.insert("recovery_codes", code_hash="d" * 64, user_id=user, **times)
    shop.insert("oauth_accounts", id="oauth_1", user_id=user, provider="github", provider_account_id="1",
                email="eleni@example.com", **times)  # fmt: skip
    shop.insert("oauth_states", state_hash="e" * 64, provider="google", code_verifier="v" * 43, nonce="n", **late,
                **times)  # fmt: skip
    shop.insert("addresses", id="address_1", user_id=user, full_name=TEXTS["escapes"], line1="Ermou 1", city="Athens",
                country="GR", is_default=1, **times)  # fmt: skip
    shop.insert("saved_cards", id="card_1", user_id=user, card_token="tok_of_the_provider", bin_number="454360",
                last_four_digits="1234", card_holder_name="Eleni", expiry_month=12, expiry_year=2030, is_default=1,
                **times)  # fmt: skip
    shop.insert("security_events", id="event_1", user_id=user, type="log_in", created_at=shop.now)
    shop.insert("personal_values", row_id="event_1", name="ip_address", user_id=user, salt="s" * 32, value="null",
                **times)  # fmt: skip


async def _sown(url: str) -> None:
    db = await connect(url)
    try:
        await seed(db, "dev", search_text)
    finally:
        await db.close()


def _times(shop: Shop) -> dict[str, str]:
    return {"created_at": shop.now, "updated_at": shop.now}


def _by_hand(shop: Shop) -> None:
    """Tables that no endpoint writes yet; a category that is older than its parent."""
    times = _times(shop)
    shop.insert("users", id="user_1", email="eleni@example.com", **times)
    shop.insert("audit_logs", id="log_1", user_id="user_1", actor_type="user", actor="user_1", action="update",
                entity="product", entity_id="p", before="{}", created_at=shop.now)  # fmt: skip
    shop.insert("password_resets", id="reset_1", user_id="user_1", token_hash="a" * 64,
                expires_at="2999-01-01T00:00:00.000Z", **times)  # fmt: skip
    shop.insert("sell_submissions", id="submission_1", contact="{}", notes=TEXTS["escapes"], **times)
    shop.insert("sell_items", id="sell_1", submission_id="submission_1", title="Old mug", **times)
    for number, text in enumerate(TEXTS.values()):
        shop.insert("media", id=f"media_{number}", asset_id=f"asset-{number}", type="IMAGE", provider="LOCAL", url=text,
                    mime_type="image/jpeg", caption=text, **times)  # fmt: skip
    # Beyond 2^53, by SQL: not every engine's own client can bind them.
    shop.execute(f"UPDATE media SET size_bytes = {BIG}, width = {2**53 + 1} WHERE id = 'media_0'")
    shop.execute(f"UPDATE payments SET fraud_score = {-BIG - 1}")
    child, parent = shop.ids("category", 2)
    for category in (child, parent):
        shop.insert("categories", id=category, name="C", slug=category.replace("_", "-"), level=0,
                    path=f"/{category}/", **times)  # fmt: skip
    shop.execute(
        f"UPDATE categories SET parent_id = '{parent}', level = 1, path = '/{parent}/{child}/' WHERE id = '{child}'"
    )


def backed_up(shop_file: Path, target: Path) -> Manifest:
    """A backup of a file."""
    with new_file(target) as file:
        return going(back_up_file(shop_file, file, Migrations(), RELEASE, quiet))


def watched_backup(db: Database, target: Path) -> Coroutine[Any, Any, Manifest]:
    """A backup of a live database, by way of its triggers."""

    async def run() -> Manifest:
        with new_file(target) as file:
            return await back_up(db, file, Migrations(), RELEASE, quiet)

    return run()


def using(url: str, work: Callable[[Database], Awaitable[Result]], token: str = "") -> Result:
    """Do `work` with a database, closed whatever happens."""

    async def run() -> Result:
        db = await connect(url, token=token, timeout_ms=60_000)
        try:
            return await work(db)
        finally:
            await db.close()

    return going(run())


def restored(url: str, file: Path, token: str = "", **options: Any) -> Restored:
    return using(url, lambda db: restore(db, file, Migrations(), quiet, **options), token)


def members(path: Path) -> dict[str, bytes]:
    """The rows of a backup, byte for byte, without the manifest."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist() if name != MANIFEST}


def edited(path: Path, target: Path, **changed: Callable[[bytes], bytes]) -> Path:
    """A copy of a backup with members changed by name (`orders`, `manifest`), whole as a zip again."""
    names = {name: f"tables/{name}.ndjson" if name != "manifest" else MANIFEST for name in changed}
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            content = old.read(member)
            for name, change in changed.items():
                if names[name] == member:
                    content = change(content)
            new.writestr(member, content)
    return target


def manifest_with(**changed: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **changed}).encode()


def contents(path: Path) -> dict[str, str]:
    """The rows of a file by table, in the order of writing, summed up."""
    found = {}
    for name, key in rows(
        path,
        "SELECT name, CASE wr WHEN 1 THEN '1, 2' ELSE 'rowid' END FROM pragma_table_list "
        "WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' AND name <> 'migrations'",
    ):
        told = repr(rows(path, f"SELECT {'' if ',' in key else 'rowid, '}* FROM {name} ORDER BY {key}"))
        found[name] = hashlib.sha256(told.encode()).hexdigest()
    return found


def tables(path: Path) -> set[str]:
    """Of a file, whatever they are for."""
    return {name for (name,) in rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")}


def copied(path: Path, target: Path) -> Path:
    shutil.copy(path, target)
    return target


class Lossy:
    """A real database whose answers get lost: every `every`-th batch is done, or not, and nobody hears which."""

    def __init__(self, db: Database, every: int = 2) -> None:
        self._db, self._every, self._batches = db, every, 0
        self.engine, self.trips = db.engine, 0
        self.lost = 0
        self.read = db.read
        self.health, self.close = db.health, db.close

    async def batch(self, statements: Sequence[Statement]) -> Results:
        self._batches += 1
        if self._batches % self._every:
            return await self._db.batch(statements)
        self.lost += 1
        if self.lost % 2:
            await self._db.batch(statements)
        raise Unknown("no answer")

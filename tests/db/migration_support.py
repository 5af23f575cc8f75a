"""What the migration tests share: small migrations of their own, snapshots of a file, and an older, filled shop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from db.engines.sqlite import open_connection
from db.helper import Busy, Database, Unknown, connect
from db.migrate import DIRECTORY, MigrationError, Migrations, Report
from db.sql import Statement

Result = TypeVar("Result")

SMALL = {
    "0001_shop.sql": (
        "-- 0001 shop; a comment with a ; in it\nCREATE TABLE shops (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;\n"
        "INSERT INTO shops VALUES ('shop_0', 'a;b -- c');\n",
        "DROP TABLE shops;\n",
    ),
    "0002_pieces.sql": (
        "CREATE TABLE pieces (id TEXT PRIMARY KEY, shop_id TEXT NOT NULL REFERENCES shops (id), count INTEGER)\n"
        "STRICT;\n"
        "CREATE INDEX pieces_by_shop ON pieces (shop_id);\n"
        "/* two; statements; in a trigger */\nCREATE TRIGGER pieces_counted AFTER INSERT ON pieces BEGIN\n"
        "  UPDATE pieces SET count = coalesce(count, 0) WHERE id = NEW.id; -- here;\n"
        "  UPDATE shops SET name = CASE WHEN name = '' THEN 'x' ELSE name END;\nEND;\n"
        "CREATE VIEW counted_pieces AS SELECT * FROM pieces WHERE count IS NOT NULL;\n",
        "DROP VIEW counted_pieces;\nDROP TABLE pieces;\n",
    ),
    "0003_size.sql": ("ALTER TABLE pieces ADD COLUMN size TEXT;\n", "ALTER TABLE pieces DROP COLUMN size;\n"),
}


def write(folder: Path, files: dict[str, tuple[str, str | None]] | dict[str, tuple[str, str]]) -> Path:
    """A folder of migrations: file name → (forward, way back)."""
    (folder / "down").mkdir(parents=True, exist_ok=True)
    for name, (forward, back) in files.items():
        (folder / name).write_text(forward, encoding="utf-8")
        if back is not None:
            (folder / "down" / name).write_text(back, encoding="utf-8")
    return folder


def going(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run on a loop of its own, leaving the tests' common one alone."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def using(path: Path, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Do `work` with the database of a file, and close it whatever happens."""

    async def run() -> Result:
        db = await connect(f"sqlite:///{path}")
        try:
            return await work(db)
        finally:
            await db.close()

    return going(run())


@lru_cache(maxsize=1)
def _real() -> Migrations:
    return Migrations()


def _migrations(folder: Path) -> Migrations:
    return _real() if folder == DIRECTORY else Migrations(folder)


def up(path: Path, folder: Path = DIRECTORY, to: int | None = None) -> Report:
    return using(path, lambda db: _migrations(folder).up(db, to))


def down(path: Path, to: int, folder: Path = DIRECTORY, *, lose_data: bool = False, production: bool = False) -> Report:
    return using(path, lambda db: _migrations(folder).down(db, to, lose_data, production))


def validate(path: Path, folder: Path = DIRECTORY) -> list[str]:
    return using(path, lambda db: Migrations(folder).validate(db))


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(open_connection(path)) as connection:
        return [tuple(row) for row in connection.execute(sql).fetchall()]


def execute(path: Path, *statements: str) -> None:
    with closing(open_connection(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def schema(path: Path) -> list[tuple[Any, ...]]:
    """Every object as SQLite keeps it, character for character."""
    return state(path)[0]


def counts(path: Path) -> dict[str, int]:
    """Rows by table, full-text indexes left out."""
    return state(path)[1]


def versions(path: Path) -> list[int]:
    return state(path)[2]


def state(path: Path) -> tuple[list[tuple[Any, ...]], dict[str, int], list[int]]:
    """Schema, rows by table, versions."""
    with closing(open_connection(path)) as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sql).fetchall()]

        objects = ask("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
        tables = ask("SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        counted = {table: ask(f"SELECT count(*) FROM {table}")[0][0] for (table,) in tables}
        applied = ask("SELECT version FROM migrations ORDER BY version") if "migrations" in counted else []
        return objects, counted, [version for (version,) in applied]


def older_shop(path: Path) -> None:
    """A shop at version 5, before the scale fixes, with rows in every table that they touch."""
    up(path, to=5)
    at = "'2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z'"
    later = "'2027-01-02T03:04:05.678Z'"
    place = "'location_00000000000000000000000000'"
    statements = [
        f"INSERT INTO users (id, email, created_at, updated_at) VALUES ('user_1', 'eleni@example.com', {at})",
        "INSERT INTO products (id, slug, title, status, price, currency, created_at, updated_at) "
        f"VALUES ('product_1', 'mug', 'Mug', 'ACTIVE', 1299, 'EUR', {at})",
        f"INSERT INTO media (id, asset_id, type, provider, url, mime_type, created_at, updated_at) "
        f"VALUES ('media_1', 'mug.jpg', 'IMAGE', 'LOCAL', '/mug.jpg', 'image/jpeg', {at})",
        "INSERT INTO media_links (media_id, entity, entity_id, created_at, updated_at) "
        f"VALUES ('media_1', 'product', 'product_1', {at})",
        f"INSERT INTO locations (id, name, created_at, updated_at) VALUES ('location_2', 'Attic', {at})",
    ]
    for number in range(40):
        statements += [
            "INSERT INTO variants (id, product_id, sku, title, size, price, created_at, updated_at) "
            f"VALUES ('variant_{number:02}', 'product_1', 'MUG-{number}', 'Mug {number}', 'M', 1299, {at})",
            "INSERT INTO inventory (variant_id, location_id, stock, reserved, created_at, updated_at) "
            f"VALUES ('variant_{number:02}', {place}, {number}, {number % 3}, {at})",
            "INSERT INTO analytics_events (id, event_type, timestamp, user_id, created_at) "
            f"VALUES ('event_{number}', 'pageview', '2026-01-{number % 7 + 1:02}T00:00:00.000Z', 'user_1', "
            "'2026-01-09T00:00:00.000Z')",
        ]
    statements += [
        "INSERT INTO inventory (variant_id, location_id, stock, created_at, updated_at) "
        f"VALUES ('variant_01', 'location_2', 7, {at})",
        "INSERT INTO reservations (id, variant_id, location_id, quantity, status, expires_at, created_at, updated_at) "
        f"VALUES ('reservation_1', 'variant_01', {place}, 1, 'HELD', {later}, {at})",
        "INSERT INTO orders (id, reference, status, currency, subtotal, discount, tax, shipping, total, customer, "
        "placed_at, created_at, updated_at) VALUES ('order_1', '7K3M-9QPX', 'PENDING', 'EUR', 1299, 0, 0, 0, 1299, "
        f"'{{}}', {at}, {later})",
        "INSERT INTO audit_logs (id, actor_type, actor, action, entity, entity_id, created_at) "
        f"VALUES ('log_1', 'user', 'user_1', 'update', 'product', 'product_1', {later})",
        "INSERT INTO password_resets (id, user_id, token_hash, expires_at, created_at, updated_at) "
        f"VALUES ('reset_1', 'user_1', '{'a' * 64}', {later}, {at})",
        f"INSERT INTO sell_submissions (id, contact, created_at, updated_at) VALUES ('submission_1', '{{}}', {at})",
        "INSERT INTO sell_items (id, submission_id, title, created_at, updated_at) "
        f"VALUES ('sell_1', 'submission_1', 'Old mug', {at})",
    ]
    execute(path, *statements)


def refused(work: object, *words: str) -> str:
    """The text of the MigrationError that `work` raises; every word must be in it."""
    assert callable(work)
    with pytest.raises(MigrationError) as caught:
        work()
    for word in words:
        assert word in str(caught.value)
    return str(caught.value)


class Flaky:
    """A real database whose answers get lost: the n-th batch is done, or not, and nobody hears which."""

    def __init__(self, db: Database, losses: dict[int, str]) -> None:
        self._db, self._losses, self._batches = db, losses, 0
        self.read = db.read

    async def batch(self, statements: list[Statement]) -> object:
        self._batches += 1
        loss = self._losses.get(self._batches)
        if loss == "busy":
            raise Busy("database is locked")
        if loss == "unknown, not done":
            raise Unknown("no answer")
        answer = await self._db.batch(statements)
        if loss == "unknown, done":
            raise Unknown("no answer")
        return answer

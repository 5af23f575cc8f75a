"""A backup in an empty database: every row as it was, nothing twice, and nobody served before it is proved."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from db import restore as restoring
from db import restore_target
from db.backup_tables import BackupError
from db.engines.sqlite import SqliteFile, open_connection
from db.helper import Database, Results
from db.migrate import Migrations, drop_all
from db.sql import Statement
from tests.db.backup_support import (
    backed_up,
    copied,
    edited,
    going,
    lively,
    manifest_with,
    restored,
    tables,
)
from tests.db.migration_support import counts, execute, older_shop, rows, up, validate
from tests.db.restore_support import holds_the_same, refused_unchanged, restored_by
from tests.engines.homes import Home
from tests.engines.raw import FileRaw
from tests.plants.backups.without_a_row import rewritten
from tests.shop import Shop

LATEST = Migrations().latest


@pytest.fixture
def backup(lively_backup: Path, tmp_path: Path) -> Path:
    """Of a shop with a row in every table."""
    return copied(lively_backup, tmp_path / "shop.zip")


def target(tmp_path: Path) -> tuple[str, Path]:
    return f"sqlite:///{tmp_path}/new.db", tmp_path / "new.db"


def test_every_row_comes_back(backup: Path, tmp_path: Path) -> None:
    url, path = target(tmp_path)
    done = restored(url, backup)
    holds_the_same(path, backup)
    assert (done.violated, done.unasked) == ((), ())
    assert not [name for name in tables(path) if name.startswith("restoring_")]


def test_it_is_the_same_shop(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the handlers say of the restored shop is what they said before; and it sells."""
    lively(shop)
    backed_up(shop.path, tmp_path / "shop.zip")
    asked = ["/products?limit=100", "/products?q=honey", "/products?q=olive+oil", "/categories", "/health"]
    told = [shop.get(target).body for target in asked]
    assert len(told[1]["items"]) > 0 and len(told[2]["items"]) > 0
    orders = shop.get("/orders?limit=100", api_key=shop.admin).body
    url, path = target(tmp_path)
    restored(url, tmp_path / "shop.zip")
    raw = FileRaw(open_connection(path))
    other = Shop(Home(url, raw, path), monkeypatch)
    try:
        assert [other.get(target).body for target in asked] == told
        assert other.get("/orders?limit=100", api_key=shop.admin).body == orders
        variant = other.one("SELECT variant_id FROM inventory WHERE stock > 5")
        assert other.order({variant: 1})["status"] == "PENDING"
        other.checked()
        execute(path, "INSERT INTO product_search (product_search) VALUES ('integrity-check')")
    finally:
        other.close()
        raw.close()


def test_triggers_write_nothing_twice_and_are_all_there(backup: Path, tmp_path: Path) -> None:
    url, path = target(tmp_path)
    restored(url, backup)
    for statement, told in (
        ("DELETE FROM orders", "orders_deletion_refused"),
        ("UPDATE stock_moves SET delta = 0", "stock_moves_append_only"),
        ("UPDATE orders SET status = 'SHIPPED' WHERE status = 'PENDING'", "illegal_transition"),
        ("UPDATE inventory SET stock = -1", "inventory_stock_not_negative"),
        ("DELETE FROM products", "FOREIGN KEY"),
    ):
        with pytest.raises(Exception, match=told):
            execute(path, "PRAGMA foreign_keys = ON", statement)


def test_a_file_is_made_and_an_empty_shop_becomes_this_one(backup: Path, tmp_path: Path) -> None:
    url, path = target(tmp_path)
    up(path)
    assert rows(path, "SELECT count(*) FROM locations") == [(1,)]
    restored(url, backup)
    holds_the_same(path, backup)


@pytest.mark.parametrize("version", [1, 3, LATEST - 1])
def test_so_does_an_empty_shop_of_another_version(backup: Path, tmp_path: Path, version: int) -> None:
    url, path = target(tmp_path)
    up(path, to=version)
    restored(url, backup)
    holds_the_same(path, backup)


def test_rows_longer_than_a_batch_go_there_too(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "BATCH_BYTES", 500)
    path = target(tmp_path)[1]
    batches = 0

    class Counting(SqliteFile):
        async def batch(self, statements: Sequence[Statement]) -> Results:
            nonlocal batches
            batches += any("INSERT INTO" in one.sql.text for one in statements)
            return await super().batch(statements)

    going(restored_by(Counting(path, 60_000), backup))
    assert batches > 60
    holds_the_same(path, backup)


def test_a_table_that_refers_to_itself_has_its_bound(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "RING_BYTES_MAX", 1_000)
    with pytest.raises(BackupError, match="the rows of categories refer to one another, and 1000 bytes"):
        restored(target(tmp_path)[0], backup)


# -- what it refuses, and what is there then


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (id, email, created_at, updated_at) VALUES ('u', 'e@example.com', 'a', 'a')",
        "INSERT INTO locations (id, name, created_at, updated_at) VALUES ('l', 'Attic', 'a', 'a')",
        "UPDATE locations SET name = 'Cellar'",
        "INSERT INTO rate_limits (scope, window, count, expires_at, created_at, updated_at) "
        "VALUES ('x:1', '', 1, 'b', 'a', 'a')",
    ],
)
@pytest.mark.parametrize("again", [False, True])
def test_refuses_a_shop_that_has_one_row(backup: Path, tmp_path: Path, statement: str, again: bool) -> None:
    path = target(tmp_path)[1]
    up(path)
    execute(path, statement)
    told = refused_unchanged(path, backup, "the database is not empty, it holds 1 ", again=again)
    assert "throws no shop away. Nothing was changed" in told


def test_refuses_a_row_that_comes_in_the_last_moment(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, path = target(tmp_path)
    up(path)

    async def late(db: Database) -> list[Statement]:
        execute(path, "INSERT INTO users (id, email, created_at, updated_at) VALUES ('u', 'e@example.com', 'a', 'a')")
        return await drop_all(db)

    monkeypatch.setattr(restore_target, "drop_all", late)
    with pytest.raises(BackupError, match="it holds new rows"):
        restored(url, backup)
    assert rows(path, "SELECT id FROM users") == [("u",)]
    assert validate(path) == []


def test_refuses_a_table_that_comes_in_the_last_moment(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, path = target(tmp_path)

    async def late(db: Database) -> list[Statement]:
        found = await drop_all(db)
        execute(path, "CREATE TABLE theirs (a TEXT)")
        return found

    monkeypatch.setattr(restore_target, "drop_all", late)
    with pytest.raises(BackupError, match="changed the database meanwhile"):
        restored(url, backup)
    assert tables(path) == {"theirs"}


def test_refuses_another_programs_database(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    execute(path, "CREATE TABLE theirs (a TEXT)")
    refused_unchanged(path, backup, "another program's, it holds theirs")
    up(path)
    refused_unchanged(path, backup, "another program's, it holds theirs")


def test_refuses_a_shop_of_another_release(backup: Path, tmp_path: Path) -> None:
    path = target(tmp_path)[1]
    up(path)
    execute(path, "UPDATE migrations SET checksum = printf('%064d', 0) WHERE version = 2")
    refused_unchanged(path, backup, "was changed after it was applied")


@pytest.mark.parametrize(
    "change",
    [
        {"orders": lambda content: content.replace(b"PENDING", b"PAID   ")},
        {"stock_moves": lambda content: content[:-20]},
        {"api_keys": lambda content: b""},
    ],
)
def test_refuses_a_file_that_was_edited_before_it_writes(
    backup: Path, tmp_path: Path, change: dict[str, Callable[[bytes], bytes]]
) -> None:
    path = target(tmp_path)[1]
    up(path)
    refused_unchanged(path, edited(backup, tmp_path / "edited.zip", **change), "is damaged or was edited")


def migration(number: int, **changed: Any) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        told = json.loads(content)
        told["migrations"][number - 1].update(changed)
        return json.dumps(told).encode()

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (migration(2, checksum="0" * 64), "its migration 2 .* is none of this release"),
        (migration(2, name="other"), r"its migration 2 \(other\) is none of this release"),
        (migration(LATEST, version=99), "its migration 99"),
        (manifest_with(schema_version=LATEST + 1), "its versions do not follow each other"),
        (manifest_with(migrations=[]), "its versions do not follow each other"),
    ],
)
def test_refuses_a_schema_that_this_release_does_not_know(
    backup: Path, tmp_path: Path, change: Callable[[bytes], bytes], told: str
) -> None:
    path = target(tmp_path)[1]
    up(path)
    refused_unchanged(path, edited(backup, tmp_path / "edited.zip", manifest=change), told)


def test_refuses_tables_that_are_not_of_that_version(backup: Path, tmp_path: Path) -> None:
    path = target(tmp_path)[1]
    up(path)

    def older(content: bytes) -> bytes:
        told = json.loads(content)
        return json.dumps({**told, "schema_version": 5, "migrations": told["migrations"][:5]}).encode()

    refused_unchanged(
        path, edited(backup, tmp_path / "edited.zip", manifest=older), "its tables are not those of schema version 5"
    )


def test_an_older_shop_is_restored_as_it_was_then_migrated(tmp_path: Path) -> None:
    older_shop(tmp_path / "older.db")
    backed_up(tmp_path / "older.db", tmp_path / "shop.zip")
    url, path = target(tmp_path)
    # A fixture with a row in every table, whose books do not balance.
    done = restored(url, tmp_path / "shop.zip", with_violations=True)
    assert [one.name for one in done.unasked] == [
        "01_stock_equals_the_sum_of_its_moves",
        "02_each_move_continues_the_balance_before",
        "05_daily_analytics_equal_a_recount",
        "10_expired_holds_gave_way",
        "17_roles_and_accounts_stand_once",
        "18_a_person_has_one_default",
        "19_somebody_administers",
        "24_sale_moves_are_what_was_ordered",
        "25_cancelled_order_gave_all_back",
        "26_moves_name_an_order_if_they_sell",
        "46_nobody_blocked_has_a_session",
        "52_values_of_stock",
        "55_values_of_people",
        "57_values_of_the_log_and_numbers",
        "59_pieces_are_whole",
        "63_values_of_addresses_and_cards",
        "64_values_of_history",
        "65_secrets_of_people_are_kept_as_hashes",
        "66_passwords_are_kept_as_hashes",
        "67_the_audit_log_has_no_gap",
        "68_values_of_sessions_and_sign_ins",
        "69_values_of_access",
    ]
    holds_the_same(path, tmp_path / "shop.zip")
    up(path)
    assert validate(path) == []
    assert counts(path)["stock_moves"] == 41


@pytest.fixture
def unbalanced(lively_file: Path, tmp_path: Path) -> Path:
    path = copied(lively_file, tmp_path / "unbalanced.db")
    execute(path, "UPDATE inventory SET stock = stock + 1 WHERE stock = 8")
    backed_up(path, tmp_path / "shop.zip")
    return tmp_path / "shop.zip"


def test_a_shop_that_broke_its_invariants_is_not_served_unasked(unbalanced: Path, tmp_path: Path) -> None:
    url, path = target(tmp_path)
    with pytest.raises(
        BackupError, match="01_stock_equals_the_sum_of_its_moves does not hold: What can be sold"
    ) as caught:
        restored(url, unbalanced)
    assert "--again --with-violations" in str(caught.value)
    assert [name for name in tables(path) if not name.startswith("restoring_")] == []
    done = restored(url, unbalanced, again=True, with_violations=True)
    assert [one.name for one in done.violated] == ["01_stock_equals_the_sum_of_its_moves"]
    holds_the_same(path, unbalanced)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE restoring_orders SET notes = 'other' WHERE rowid = 1",
        "DELETE FROM restoring_rate_limits",
        "UPDATE restoring_media SET size_bytes = size_bytes - 1 WHERE id = 'media_0'",
        "UPDATE restoring_stock_moves SET rowid = rowid + 1000 WHERE rowid = 1",
    ],
)
def test_a_row_that_did_not_arrive_as_it_was_is_noticed(backup: Path, tmp_path: Path, statement: str) -> None:
    """An engine that lost a row, a bit of a number, or the order of writing."""
    url, path = target(tmp_path)

    class Careless(SqliteFile):
        async def read(self, *statements: Statement, after: str | None = None, replica: bool = False) -> Results:
            if "restoring_" in statements[0].sql.text and "row_number" in statements[0].sql.text and not self.done:
                self.done = True
                execute(path, statement)
            return await super().read(*statements)

        done = False

    with pytest.raises(BackupError, match=r"was not restored as it is in the backup: .* nobody is served from it"):
        going(restored_by(Careless(path, 60_000), backup))
    assert [name for name in tables(path) if not name.startswith("restoring_")] == []
    restored(url, backup, again=True)
    holds_the_same(path, backup)


def test_refuses_a_row_whose_parent_the_file_does_not_have(backup: Path, tmp_path: Path) -> None:
    """As in a backup that is not of one moment; its checksums agree."""
    torn = copied(backup, tmp_path / "torn.zip")
    rewritten(torn, "variants")
    url, path = target(tmp_path)
    with pytest.raises(BackupError, match=r"is refused .foreign_key.: the backup is not of one moment, or was edited"):
        restored(url, torn)
    assert [name for name in tables(path) if not name.startswith("restoring_")] == []

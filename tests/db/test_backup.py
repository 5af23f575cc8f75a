"""The file that a backup is, and that it holds one moment of a shop that goes on selling."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import Queue
from typing import IO, Any

import pytest

from db import backup_file
from db.backup import back_up_file
from db.backup_file import Manifest, Reader, new_file
from db.backup_tables import BackupError
from db.engines.sqlite import open_connection
from db.migrate import Migrations
from tests.db.backup_support import (
    BIG,
    RELEASE,
    backed_up,
    edited,
    lively,
    manifest_with,
    members,
)
from tests.db.migration_support import counts, execute, older_shop, rows, validate
from tests.shop import Shop


def digest(path: Path) -> dict[str, str]:
    """The bytes of every row of a file, by table."""
    with closing(open_connection(path)) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM pragma_table_list WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
            )
        ]
        found = {name: repr(connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()) for name in names}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in found.items()}


def test_holds_every_row_of_every_table(shop: Shop, tmp_path: Path) -> None:
    lively(shop)
    before = digest(shop.path)
    manifest = backed_up(shop.path, tmp_path / "shop.zip")
    assert digest(shop.path) == before
    held = counts(shop.path)
    assert {table.name: table.rows for table in manifest.tables} == held
    assert min(held.values()) > 0, "a table without a row proves nothing"
    assert manifest.rows == sum(held.values())
    found = members(tmp_path / "shop.zip")
    assert set(found) == {f"tables/{name}.ndjson" for name in held}
    for table in manifest.tables:
        content = found[f"tables/{table.name}.ndjson"]
        assert (table.bytes, table.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        told = [tuple(json.loads(line)) for line in content.decode().split("\n")[:-1]]
        columns = ", ".join(table.columns)
        order = "rowid" if table.name not in _KEYED else "1, 2"
        assert told == rows(shop.path, f"SELECT {columns} FROM {table.name} ORDER BY {order}"), table.name
    assert (manifest.engine, manifest.release, manifest.schema_version) == ("sqlite", RELEASE, Migrations().latest)
    assert b"on_hand" not in found["tables/inventory.ndjson"]
    assert str(BIG).encode() in found["tables/media.ndjson"]


_KEYED = {
    "analytics_stale_days",
    "audit_counters",
    "inventory",
    "media_links",
    "personal_values",
    "product_categories",
    "product_collections",
    "recovery_codes",
    "role_permissions",
    "used_refresh_tokens",
    "user_permissions",
    "user_roles",
}


def test_ordinary_tools_read_it(shop: Shop, tmp_path: Path) -> None:
    manifest = backed_up(shop.path, tmp_path / "shop.zip")
    done = subprocess.run(
        ["python3", "-m", "zipfile", "-t", "shop.zip"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Done testing\n")
    with zipfile.ZipFile(tmp_path / "shop.zip") as file:
        told = json.loads(file.read("manifest.json"))
    assert told["content_sha256"] == manifest.content_sha256
    assert [one["version"] for one in told["migrations"]] == list(range(1, Migrations().latest + 1))


def test_the_same_shop_has_the_same_content(shop: Shop, tmp_path: Path) -> None:
    lively(shop)
    first, again = (backed_up(shop.path, tmp_path / name) for name in ("1.zip", "2.zip"))
    assert members(tmp_path / "1.zip") == members(tmp_path / "2.zip")
    assert first.content_sha256 == again.content_sha256
    execute(shop.path, "UPDATE users SET email = 'other@example.com'")
    assert backed_up(shop.path, tmp_path / "3.zip").content_sha256 != first.content_sha256


def test_is_of_one_moment_while_the_shop_sells(shop: Shop, tmp_path: Path) -> None:
    """Goal: nothing of what happens meanwhile is in it. Method: a sale, and a removed row, after each page."""
    lively(shop)
    variant = shop.variant(stock=1_000)
    before = backed_up(shop.path, tmp_path / "still.zip")
    seen: list[str] = []

    def sell(table: str, *_: int) -> None:
        seen.append(table)
        shop.order({variant: 1})
        shop.execute("DELETE FROM rate_limits")

    with new_file(tmp_path / "shop.zip") as file:
        manifest = while_it_runs(shop.path, file, sell)
    assert len(seen) == len(counts(shop.path))
    assert members(tmp_path / "shop.zip") == members(tmp_path / "still.zip")
    assert manifest.content_sha256 == before.content_sha256
    assert shop.one("SELECT count(*) FROM orders WHERE id IN (SELECT order_id FROM stock_moves)") >= len(seen)
    shop.checked()


def while_it_runs(path: Path, file: IO[bytes], work: Callable[..., None]) -> Manifest:
    """A backup in a thread, which waits after each page until `work` is done here, where the handlers' loop is."""
    asked, answered = Queue[tuple[Any, ...] | None](), Queue[None]()

    def told(*what: Any) -> None:
        asked.put(what)
        answered.get(timeout=60)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: asyncio.run(back_up_file(path, file, Migrations(), RELEASE, told)))
        running.add_done_callback(lambda _: asked.put(None))
        while (what := asked.get(timeout=60)) is not None:
            work(*what)
            answered.put(None)
        return running.result()


def test_is_for_its_owner_only_and_overwrites_nothing(shop: Shop, tmp_path: Path) -> None:
    target = tmp_path / "shop.zip"
    old = os.umask(0)
    try:
        backed_up(shop.path, target)
    finally:
        os.umask(old)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    content = target.read_bytes()
    with pytest.raises(BackupError, match="exists: a backup overwrites nothing"):
        backed_up(shop.path, target)
    assert target.read_bytes() == content
    with pytest.raises(BackupError, match="there is no folder"):
        backed_up(shop.path, tmp_path / "none" / "shop.zip")
    assert {one.name for one in tmp_path.iterdir()} >= {"shop.zip"}
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "shop.zip"
    with pytest.raises(BackupError, match="exists meanwhile"), new_file(target) as file:
        file.write(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_backup_leaves_nothing(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_file.Digest, "add", full)
    with pytest.raises(OSError, match="No space"):
        backed_up(shop.path, folder / "shop.zip")
    assert list(folder.iterdir()) == []


def test_a_file_system_without_hard_links_gets_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    with new_file(tmp_path / "shop.zip") as file:
        file.write(b"rows")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("shop.zip", b"rows")]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TABLE mine (a TEXT) STRICT", "the table mine is none that the migrations make"),
        ("ALTER TABLE sell_items DROP COLUMN size", "the table sell_items is not as the migrations make it"),
        ("DROP TABLE sell_items", "the table sell_items is not as the migrations make it"),
        ("DELETE FROM migrations WHERE version = 2", "but not version 2"),
        ("UPDATE migrations SET checksum = printf('%064d', 0)", "was changed after it was applied"),
        ("DELETE FROM migrations", "it was never migrated"),
        ("CREATE TABLE restoring_state (id TEXT) STRICT", "is being restored"),
    ],
)
def test_refuses_a_schema_that_no_restore_could_make(shop: Shop, tmp_path: Path, statement: str, told: str) -> None:
    execute(shop.path, statement)
    with pytest.raises(Exception, match=told):
        backed_up(shop.path, tmp_path / "shop.zip")
    assert not (tmp_path / "shop.zip").exists()


def test_an_index_of_ones_own_and_a_replicators_tables_are_no_hindrance(shop: Shop, tmp_path: Path) -> None:
    execute(
        shop.path,
        "CREATE INDEX mine ON users (status)",
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)",
        "CREATE TABLE _litestream_lock (id INTEGER)",
    )
    told = backed_up(shop.path, tmp_path / "shop.zip")
    assert {table.name for table in told.tables} == counts(shop.path).keys() - {"_litestream_seq", "_litestream_lock"}
    assert validate(shop.path) == ["schema: extra index mine"]


def test_an_older_schema_is_backed_up_as_it_is(tmp_path: Path) -> None:
    older_shop(tmp_path / "older.db")
    manifest = backed_up(tmp_path / "older.db", tmp_path / "shop.zip")
    assert manifest.schema_version == 5
    assert {table.name: table.rows for table in manifest.tables} == counts(tmp_path / "older.db")


@pytest.fixture
def whole(shop: Shop, tmp_path: Path) -> Path:
    shop.order({shop.variant(): 1})
    shop.order({shop.variant(): 1})
    backed_up(shop.path, tmp_path / "shop.zip")
    return tmp_path / "shop.zip"


def read(path: Path) -> int:
    with Reader(path) as reader:
        return sum(1 for table in reader.manifest.tables for _ in reader.rows(table))


def test_reads_what_was_written(whole: Path) -> None:
    with Reader(whole) as reader:
        assert read(whole) == reader.manifest.rows


def test_a_file_that_was_cut_off_is_told_wherever(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    for length in {0, 1, 100, len(content) // 2, len(content) - 100, len(content) - 1}:
        cut = tmp_path / "cut.zip"
        cut.write_bytes(content[:length])
        with pytest.raises(BackupError, match="is no backup, or was cut off"):
            read(cut)


def test_a_byte_that_changed_is_told_wherever(whole: Path, tmp_path: Path) -> None:
    """Every part of the file: a member's rows, its header, the manifest, the directory."""
    content = whole.read_bytes()
    told = 0
    for place in range(7, len(content), max(1, len(content) // 150)):
        broken = tmp_path / "broken.zip"
        broken.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            same = read(broken) == read(whole) and members(broken) == members(whole)
        except BackupError:
            told += 1
        else:
            # Times, modes and the like of the zip itself: nothing of a backup.
            assert same, place
    assert told > 75


def swap(content: bytes) -> bytes:
    first, second, *rest = content.split(b"\n")
    return b"\n".join([second, first, *rest])


@pytest.mark.parametrize(
    "change",
    [
        {"orders": lambda content: content.replace(b"PENDING", b"PAID   ")},
        {"orders": lambda content: content.split(b"\n", 1)[1]},
        {"orders": lambda content: content + content.split(b"\n", 1)[0] + b"\n"},
        {"orders": swap},
        {"orders": lambda content: content.replace(b",", b", ", 1)},
        {"orders": lambda content: b"\xff" + content},
        {"manifest": manifest_with(content_sha256="0" * 64)},
        {"manifest": manifest_with(tables=[])},
        {"manifest": lambda content: content.replace(b'"rows": 2', b'"rows": 3')},
        {"manifest": lambda content: content.replace(b'"orders"', b'"payments"')},
        {"manifest": manifest_with(format="other")},
        {"manifest": manifest_with(schema_version="7")},
        {"manifest": manifest_with(more=1)},
        {"manifest": lambda content: b"[" * 100_000},
        {"manifest": lambda content: b"{"},
        {"manifest": lambda content: b"[]"},
        {"manifest": lambda content: b" " * 6_000_000},
    ],
)
def test_an_edited_file_is_told(whole: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(BackupError, match=r"edited|damaged|is no backup"):
        read(edited(whole, tmp_path / "edited.zip", **change))


def test_a_member_too_many_is_told(whole: Path) -> None:
    with zipfile.ZipFile(whole, "a") as file:
        file.writestr("tables/more.ndjson", "[]\n")
    with pytest.raises(BackupError, match="edited"):
        read(whole)


def test_a_file_of_a_later_format_names_its_release(whole: Path, tmp_path: Path) -> None:
    later = edited(whole, tmp_path / "later.zip", manifest=manifest_with(format_version=2, release="9.1.0", tables=1))
    with pytest.raises(
        BackupError, match=r"has format 2, this release reads 1: use the release that made it \(9.1.0\)"
    ):
        read(later)


def test_what_is_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="there is no file"):
        read(tmp_path / "none.zip")
    with pytest.raises(BackupError, match="is no backup"):
        read(tmp_path)
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(BackupError, match="is no backup"):
        read(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("a", "b")
    with pytest.raises(BackupError, match=r"has no manifest\.json"):
        read(tmp_path / "other.zip")

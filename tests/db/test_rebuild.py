"""`tally migrate rebuild`: a table made anew with every row, index and trigger, though others refer to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from db.backup_tables import tables_of
from db.invariants import check
from db.migrate import Migrations
from tests.db.backup_support import contents, copied, using
from tests.db.migration_support import counts, down, execute, refused, rows, schema, up, validate, write
from tests.db.rebuild_support import folder_with, with_channel

ROOT = Path(__file__).parent.parent.parent


def test_writes_two_files_with_the_next_number(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "migrations", "products")
    names = {path.name for path in folder.rglob("*_rebuild_products.sql")}
    (name,) = names
    number = Migrations().latest + 1
    assert name == f"{number:04}_rebuild_products.sql"
    forward, back = (folder / name).read_text(), (folder / "down" / name).read_text()
    assert forward.splitlines()[0].startswith(f"-- {number:04} rebuild products: why")
    assert forward.splitlines()[2:] == back.splitlines()[2:]
    assert Migrations(folder).files.problems == []
    assert len(Migrations(folder).files.migrations[number].statements) == 15


def test_every_table_can_be_rebuilt_and_keeps_every_row(lively_file: Path, tmp_path: Path) -> None:
    """Goal: nothing is lost, in whatever order the tables stand. Method: all, a migration each, there and back."""
    path = copied(lively_file, tmp_path / "shop.db")
    before, made = contents(path), schema(path)
    names = [name for name in using(f"sqlite:///{path}", tables_of) if name != "migrations"]
    folder = folder_with(tmp_path / "migrations", *names)
    up(path, folder)
    assert validate(path, folder) == []
    assert contents(path) == before and min(counts(path).values()) > 0
    assert {row[:3] for row in schema(path)} == {row[:3] for row in made}
    assert all(one.holds for one in using(f"sqlite:///{path}", check))
    execute(path, "INSERT INTO product_search (product_search) VALUES ('integrity-check')")
    down(path, Migrations().latest, folder)
    assert validate(path) == []
    assert contents(path) == before


def test_a_new_column_and_check_for_a_table_with_children(lively_file: Path, tmp_path: Path) -> None:
    path = copied(lively_file, tmp_path / "shop.db")
    folder = with_channel(tmp_path / "migrations")
    before = contents(path)
    up(path, folder)
    assert validate(path, folder) == []
    after = contents(path)
    assert {name for name in before if after[name] != before[name]} == {"orders"}
    assert rows(path, "SELECT DISTINCT channel FROM orders") == [("WEB",)]
    with pytest.raises(Exception, match="orders_channel_known"):
        execute(path, "UPDATE orders SET channel = 'FAX'")
    with pytest.raises(Exception, match="orders_deletion_refused"):
        execute(path, "DELETE FROM orders")
    with pytest.raises(Exception, match="FOREIGN KEY"):
        execute(path, "INSERT INTO order_events (id, order_id, to_status, actor, created_at) "
                      "VALUES ('e', 'none', 'PAID', 'a', 'b')")  # fmt: skip
    down(path, Migrations().latest, folder, lose_data=True)
    assert validate(path) == []
    assert contents(path) == before


def test_a_check_that_a_row_breaks_keeps_everything(lively_file: Path, tmp_path: Path) -> None:
    path = copied(lively_file, tmp_path / "shop.db")
    folder = with_channel(tmp_path / "migrations")
    file = next(folder.glob("*_rebuild_orders.sql"))
    file.write_text(file.read_text().replace("DEFAULT 'WEB'", "DEFAULT 'FAX'"))
    before = (schema(path), contents(path))
    refused(lambda: up(path, folder), "rebuild_orders.sql, statement 5 (INSERT INTO orders", "orders_channel_known")
    assert (schema(path), contents(path)) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # A row that is left out: the guard counts, and a child would miss its parent.
        ("ORDER BY aside_rowid", "WHERE aside_rowid > 1", ("statement 6", "rows_lost: orders")),
        # The guard removed as well: its children have no parent at COMMIT.
        ("ORDER BY aside_rowid", "WHERE 0", ("statement 6", "rows_lost: orders")),
    ],
)
def test_a_row_that_was_left_out_keeps_everything(
    lively_file: Path, tmp_path: Path, old: str, new: str, told: tuple[str, ...]
) -> None:
    path = copied(lively_file, tmp_path / "shop.db")
    folder = with_channel(tmp_path / "migrations")
    file = next(folder.glob("*_rebuild_orders.sql"))
    file.write_text(file.read_text().replace(old, new))
    before = (schema(path), contents(path))
    refused(lambda: up(path, folder), *told)
    assert (schema(path), contents(path)) == before
    lines = file.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("SELECT CASE"))
    file.write_text("\n".join([*lines[:start], *lines[start + 2 :]]) + "\n")
    refused(lambda: up(path, folder), "at its end: foreign_key")
    assert (schema(path), contents(path)) == before


def test_refuses_what_is_no_table(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "migrations")
    before = sorted(folder.rglob("*"))
    for name in ("none", "product_search", "live_orders", "orders; DROP TABLE orders"):
        refused(
            lambda name=name: folder_with(folder, name),
            f"there is no table {name}; there are addresses, analytics_daily,",
        )
    assert sorted(folder.rglob("*")) == before


def test_refuses_files_that_are_not_in_order(tmp_path: Path) -> None:
    folder = write(folder_with(tmp_path / "migrations"), {"0099_gap.sql": ("SELECT 1;", "SELECT 1;")})
    refused(lambda: folder_with(folder, "orders"), "is missing before 0099_gap.sql")


def test_killed_between_any_two_statements(lively_file: Path, tmp_path: Path) -> None:
    """Method: see rebuild_killer.py. The script fails by itself at the first half-rebuilt file."""
    copied(lively_file, tmp_path / "filled.db")
    folder = with_channel(tmp_path / "migrations")
    done = subprocess.run(
        [sys.executable, "-m", "tests.db.rebuild_killer", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    forward, way_back = (json.loads(line) for line in done.stdout.splitlines())
    latest = Migrations(folder).latest
    statements = len(Migrations(folder).files.migrations[latest].statements)
    assert forward["kills"] > statements + 2
    assert min(forward["as_before"], forward["as_after"], way_back["as_before"], way_back["as_after"]) > 0


def test_the_files_are_those_of_the_command(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "one", "carts")
    other = folder_with(tmp_path / "other")
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "migrate", "rebuild", "carts", "--directory", str(other)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    name = next(folder.glob("*_rebuild_carts.sql")).name
    assert done.stdout.splitlines()[:2] == [str(other / name), str(other / "down" / name)]
    assert (other / name).read_text() == (folder / name).read_text()
    assert Migrations(other).latest == Migrations().latest + 1

"""The shop's own migrations: each way back, the scale fixes on an older filled shop, and the report of document 004."""

import re
from pathlib import Path

import pytest

from db.helper import Database
from db.migrate import DIRECTORY, Migrations, Report
from db.migration_report import INDEXES, TABLES, Validation, validation
from tests.db.migration_support import (
    counts,
    down,
    execute,
    older_shop,
    rows,
    schema,
    state,
    up,
    using,
    validate,
    versions,
)

LATEST = Migrations().latest
SCALE_FIXES = 6


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


def test_the_files_are_in_order() -> None:
    files = Migrations().files
    assert (files.problems, files.gaps) == ([], {})
    assert list(files.migrations) == list(range(1, LATEST + 1))
    assert all(path.read_text().startswith(f"-- {path.name[:4]} ") for path in DIRECTORY.glob("*.sql"))


def test_up_on_an_empty_database(file: Path) -> None:
    report = up(file)
    assert report.version == LATEST
    assert report.seconds < 30  # document 001's limit
    assert versions(file) == list(range(1, LATEST + 1))
    assert validate(file) == []


def test_every_version_goes_down_and_up_to_the_same_schema(file: Path) -> None:
    up(file, to=1)
    down(file, 0, lose_data=True)
    reached = [schema(file)]
    for version in range(1, LATEST + 1):
        up(file, to=version)
        reached.append(schema(file))
        down(file, version - 1, lose_data=True)
        assert schema(file) == reached[version - 1], f"down/{version:04} leaves another schema"
        up(file, to=version)
        assert schema(file) == reached[version], f"{version:04} makes another schema the second time"
        assert validate(file) == []
    down(file, 0)
    assert schema(file) == reached[0]
    up(file)
    assert schema(file) == reached[LATEST]


def test_no_foreign_key_cascades(file: Path) -> None:
    up(file)
    found = rows(
        file,
        'SELECT t.name, f."table", f.on_delete FROM pragma_table_list t, pragma_foreign_key_list(t.name) f '
        "WHERE f.on_delete NOT IN ('NO ACTION', 'RESTRICT') OR f.on_update NOT IN ('NO ACTION', 'RESTRICT')",
    )
    assert found == []


def test_the_scale_fixes_lose_no_row_of_an_older_shop(file: Path) -> None:
    older_shop(file)
    before = counts(file)
    contents = {table: rows(file, f"SELECT * FROM {table}") for table in before if table != "migrations"}
    up(file, to=SCALE_FIXES)
    after = counts(file)
    assert {table: after[table] for table in before if table != "migrations"} == {
        table: count for table, count in before.items() if table != "migrations"
    }
    for table, content in contents.items():
        assert rows(file, f"SELECT * FROM {table}") == content, table
    assert all(before[table] for table in ("inventory", "analytics_events", "audit_logs", "media_links", "sell_items"))
    assert rows(file, "SELECT * FROM pragma_foreign_key_check") == []
    assert validate(file) == []


def test_the_scale_fixes_open_the_trail(file: Path) -> None:
    older_shop(file)
    stock = rows(file, "SELECT variant_id, location_id, stock FROM inventory ORDER BY 1, 2")
    up(file, to=SCALE_FIXES)
    moves = rows(
        file,
        "SELECT variant_id, location_id, sum(delta), count(*), max(balance_after), max(reason), max(order_id) "
        "FROM stock_moves GROUP BY 1, 2 ORDER BY 1, 2",
    )
    assert len(stock) == 41
    assert moves == [(variant, place, left, 1, left, "adjustment", None) for variant, place, left in stock]
    ids = [one for (one,) in rows(file, "SELECT id FROM stock_moves ORDER BY id")]
    assert all(re.fullmatch(r"move_[0-7][0-9a-hjkmnp-tv-z]{25}", one) for one in ids), "no TypeID"
    days = rows(file, "SELECT count(DISTINCT substr(timestamp, 1, 10)) FROM analytics_events")
    assert rows(file, "SELECT count(*) FROM analytics_stale_days") == days


def test_the_scale_fixes_go_back_with_leave_and_come_again(file: Path) -> None:
    older_shop(file)
    before = state(file)
    up(file, to=SCALE_FIXES)
    fixed = state(file)
    with pytest.raises(Exception, match=r"would lose 7 rows of analytics_stale_days, 41 rows of stock_moves;"):
        down(file, SCALE_FIXES - 1)
    assert state(file) == fixed
    down(file, SCALE_FIXES - 1, lose_data=True)
    assert state(file) == before
    up(file, to=SCALE_FIXES)
    assert state(file) == fixed


def reported(file: Path, to: int | None = None) -> Validation:
    async def work(db: Database) -> Validation:
        migrations = Migrations()
        return await validation(db, migrations, await migrations.up(db, to))

    return using(file, work)


def test_the_report_of_document_004(file: Path) -> None:
    older_shop(file)
    report = reported(file, SCALE_FIXES)
    text = report.text()
    assert report.ok, text
    assert "foreign keys are enforced (PRAGMA foreign_keys = 1)" in text
    assert len(INDEXES) == 14
    for name in (*TABLES, *INDEXES):
        assert f"ok   {name} (new)" in text
    assert "SEARCH analytics_events USING INDEX idx_analytics_event_type (event_type=? AND timestamp>?)" in text
    assert "TEMP B-TREE" not in text
    assert "0006_scale_fixes.sql: " in text
    assert "14 CREATE INDEX" in text
    assert text.endswith("All checks passed")


def test_the_report_before_the_scale_fixes_says_what_comes(file: Path) -> None:
    report = reported(file, SCALE_FIXES - 1)
    assert report.ok
    assert report.text().count("comes with 0006_scale_fixes.sql") == 16
    assert "not asked: there is no table" in reported(file.with_name("first.db"), 1).text()


def test_the_report_fails_on_what_is_wrong(file: Path) -> None:
    up(file)
    execute(
        file,
        "DROP INDEX idx_analytics_event_type",
        "PRAGMA foreign_keys = OFF",
        "INSERT INTO password_resets (id, user_id, token_hash, expires_at, created_at, updated_at) VALUES "
        f"('reset_1', 'user_9', '{'a' * 64}', '2027', '2026', '2026')",
    )

    async def work(db: Database) -> Validation:
        return await validation(db, Migrations(), Report((), LATEST, 0.0))

    report = using(file, work)
    text = report.text()
    assert not report.ok
    assert "FAIL 1 rows of password_resets have no users" in text
    assert "FAIL idx_analytics_event_type is missing" in text
    assert "FAIL schema: missing index idx_analytics_event_type" in text
    assert text.endswith("3 checks FAILED")

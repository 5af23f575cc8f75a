"""The schema's own promises, read from a migrated database: timestamps, indexes, names, soft delete, history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.schema_page import checks_of
from db.engines.sqlite import binding, open_connection
from db.sql import Sql
from tests.contract.test_plans import label, statements

# History: rows are written once. Their time is when they were written.
APPEND_ONLY = ("analytics_events", "audit_links", "audit_logs", "order_events", "security_events", "stock_moves")
# The runner's own: its time is when it applied a version.
RUNNER = {"migrations"}
FROM_004 = {
    "idx_analytics_daily_date": ("analytics_daily", "date, event_type"),
    "idx_analytics_daily_type": ("analytics_daily", "event_type, date"),
    "idx_analytics_event_type": ("analytics_events", "event_type, timestamp"),
    "idx_analytics_timestamp": ("analytics_events", "timestamp"),
    "idx_analytics_user": ("analytics_events", "user_id, timestamp"),
    "idx_images_entity": ("media_links", "entity, entity_id, sort_order"),
    "idx_logs_created": ("audit_logs", "created_at"),
    "idx_password_resets_user": ("password_resets", "user_id"),
    "idx_products_size": ("variants", "size"),
    "idx_sell_items_submission": ("sell_items", "submission_id"),
    "idx_sell_submissions_created": ("sell_submissions", "created_at"),
    "idx_sell_submissions_status": ("sell_submissions", "status, created_at"),
    "idx_stock_moves_order": ("stock_moves", "order_id"),
    "idx_stock_moves_product": ("stock_moves", "variant_id, location_id, id"),
}
# What the founding documents ask for: the table, and the columns that an index of it must begin with.
ASKED_FOR = {
    "000 products of a producer": ("products", ["producer_id", "created_at"]),
    "000 orders of a phone": ("orders", ["customer_phone", "placed_at"]),
    "000 orders by status": ("orders", ["status", "placed_at"]),
    "000 items of an order": ("order_items", ["order_id"]),
    "000 items of a producer": ("order_items", ["producer_id", "status"]),
    "001 4.1 e-mail": ("users", ["<expression>"]),
    "001 4.1 product slug": ("products", ["slug"]),
    "001 4.1 product SKU": ("products", ["sku"]),
    "001 4.1 variant SKU": ("variants", ["sku"]),
    "001 4.1 category slug": ("categories", ["slug"]),
    "001 4.1 order reference": ("orders", ["reference"]),
    "001 4.1 asset": ("media", ["asset_id"]),
    "001 4.3 products listed": ("products", ["status", "created_at"]),
    "001 4.3 carts left": ("carts", ["status", "updated_at"]),
    "001 4.3 orders of a user": ("orders", ["user_id", "status", "placed_at"]),
    "001 4.3 history of an entity": ("audit_logs", ["entity", "entity_id", "created_at"]),
    "001 4.4 log by time": ("audit_logs", ["created_at"]),
    "003 time series": ("analytics_events", ["timestamp"]),
}
_INNERMOST = re.compile(r"\(([^()]*)\)")
# Statements that read a table past its view, each with the reason.
PAST_THE_VIEW = {
    "db.statements.personal.EXPORTS": "what was deleted softly is still of the person",
    "db.statements.catalog.TO_CHANGE": "a product keeps its producer's name among its words when the producer has gone",
    "db.statements.catalog.OF_VARIANT_TO_CHANGE": "the same",
    "functions.jobs.measure_soft_deletes.DELETED": "counts what the views leave out",
    "db.statements.oauth.USER_BY_ACCOUNT": "an account of who is gone is told from one that was never linked",
    "api.carts.CART": "a cart shows what has gone from the catalog, with nothing available of it",
}


@pytest.fixture
def raw(template: Path, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "schema.db"
    path.write_bytes(template.read_bytes())
    connection = open_connection(path)
    yield connection
    connection.close()


def tables(raw: Any) -> dict[str, str]:
    """Our tables and their SQL, without those behind the full-text index."""
    rows = raw.execute(
        "SELECT t.name, s.sql FROM pragma_table_list t JOIN sqlite_schema s ON s.name = t.name "
        "WHERE t.type = 'table' AND t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'"
    )
    return dict(rows.fetchall())


def columns(raw: Any, table: str) -> list[str]:
    return [row[0] for row in raw.execute("SELECT name FROM pragma_table_xinfo(?)", (table,))]


def indexes(raw: Any, table: str) -> dict[str, list[str]]:
    """The columns of each index of a table, its primary key's included."""
    found = {}
    for (name,) in raw.execute("SELECT name FROM pragma_index_list(?)", (table,)).fetchall():
        names = raw.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (name,)).fetchall()
        found[name] = [one or "<expression>" for (one,) in names]
    return found


def test_every_table_is_strict(raw: Any) -> None:
    assert [name for name, sql in tables(raw).items() if not re.search(r"\bSTRICT\b", sql.rpartition(")")[2])] == []


def test_every_table_says_when(raw: Any) -> None:
    wrong = []
    for table in tables(raw).keys() - RUNNER:
        wanted = {"created_at"} if table in APPEND_ONLY else {"created_at", "updated_at"}
        has = {"created_at", "updated_at"} & set(columns(raw, table))
        if has != wanted:
            wrong.append(f"{table} has {sorted(has)}, wants {sorted(wanted)}")
    assert wrong == []


def test_every_foreign_key_has_an_index(raw: Any) -> None:
    wrong = []
    for table in tables(raw):
        keys: dict[int, list[str]] = {}
        for number, column in raw.execute('SELECT id, "from" FROM pragma_foreign_key_list(?) ORDER BY seq', (table,)):
            keys.setdefault(number, []).append(column)
        for key in keys.values():
            if not any(index[: len(key)] == key for index in indexes(raw, table).values()):
                wrong.append(f"{table} ({', '.join(key)})")
    assert wrong == []


def test_no_foreign_key_acts_by_itself(raw: Any) -> None:
    acting = [
        f"{table}.{column}: {update} {delete}"
        for table in tables(raw)
        for column, update, delete in raw.execute(
            'SELECT "from", on_update, on_delete FROM pragma_foreign_key_list(?)', (table,)
        )
        if (update, delete) != ("NO ACTION", "NO ACTION")
    ]
    assert acting == []


def test_constraints_indexes_and_triggers_begin_with_their_table(raw: Any) -> None:
    wrong = []
    for table, sql in tables(raw).items():
        bare = re.sub(r"'(?:[^']|'')*'|--[^\n]*", "", sql)
        unnamed = len(re.findall(r"\bCHECK\s*\(", bare, re.I)) - len(checks_of(sql))
        wrong += [f"{table}: {unnamed} CHECK without a name"] if unnamed else []
        wrong += [f"{table}: {name}" for name in checks_of(sql) if not name.startswith(f"{table}_")]
    rows = raw.execute(
        "SELECT type, name, tbl_name FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql <> ''"
    )
    wrong += [
        f"{kind} {name} of {table}"
        for kind, name, table in rows
        if not name.startswith(f"{table}_") and name not in FROM_004
    ]
    assert wrong == []


def test_constraint_names_stand_once(raw: Any) -> None:
    names = [name for sql in tables(raw).values() for name in checks_of(sql)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", FROM_004)
def test_an_index_of_document_004_exists(raw: Any, name: str) -> None:
    table, wanted = FROM_004[name]
    assert indexes(raw, table)[name] == wanted.split(", ")


@pytest.mark.parametrize("asked", ASKED_FOR)
def test_an_index_that_the_documents_ask_for_exists(raw: Any, asked: str) -> None:
    table, wanted = ASKED_FOR[asked]
    assert any(index[: len(wanted)] == wanted for index in indexes(raw, table).values())


def test_what_is_deleted_softly_has_a_view_without_it(raw: Any) -> None:
    views = dict(raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'view'").fetchall())
    soft = {table for table in tables(raw) if "deleted_at" in columns(raw, table)}
    assert {f"live_{table}" for table in soft} == views.keys()
    for table in soft:
        assert views[f"live_{table}"].endswith(f"SELECT * FROM {table} WHERE deleted_at IS NULL")


def test_reads_cannot_forget_what_was_deleted(raw: Any) -> None:
    soft = {table for table in tables(raw) if "deleted_at" in columns(raw, table)}
    past = {label(sql): bare_reads(sql, soft) for sql in statements() if bare_reads(sql, soft)}
    assert {name: read for name, read in past.items() if name not in PAST_THE_VIEW} == {}
    assert PAST_THE_VIEW.keys() - past.keys() == set(), "listed, but needed no more"


def bare_reads(sql: Sql, soft: set[str]) -> set[str]:
    """The tables with soft delete that a statement reads directly. What it writes it may name."""
    text = re.sub(r"'(?:[^']|'')*'|--[^\n]*", "''", sql.text)
    written = set(re.findall(r"\b(?:UPDATE|INTO)\s+(\w+)", text))
    named: set[str] = set()
    while (inner := _INNERMOST.search(text)) is not None:
        named |= sources(inner[1])
        text = text[: inner.start()] + " _ " + text[inner.end() :]
    return ((named | sources(text)) & soft) - written


def sources(flat: str) -> set[str]:
    """The tables of the FROM clauses of a text without brackets."""
    clauses = re.findall(r"\bFROM\b(.*?)(?=\b(?:WHERE|GROUP|ORDER|LIMIT|UNION|SET|RETURNING)\b|$)", flat, re.S | re.I)
    return {name for clause in clauses for name in re.findall(r"(?:^|,|\bJOIN\b)\s*(\w+)", clause, re.I)}


def test_a_read_past_the_view_is_found() -> None:
    soft = {"products", "variants"}

    def found(text: str) -> set[str]:
        return bare_reads(Sql(text, registered=False), soft)

    assert found("SELECT v.id FROM live_variants v JOIN products p ON p.id = v.product_id") == {"products"}
    assert found("SELECT 1 FROM json_each(:x) l, variants v") == {"variants"}
    assert found("SELECT (SELECT count(*) FROM (SELECT 1 FROM products)) FROM json_each(:x)") == {"products"}
    assert found("SELECT id FROM orders WHERE id IN (SELECT a, variants, b FROM carts)") == set()
    assert found("SELECT id FROM live_products WHERE title = ' FROM products'") == set()
    assert found("UPDATE products SET title = :x WHERE id = (SELECT id FROM live_products)") == set()


# -- history


def example(raw: Any, table: str) -> dict[str, Any]:
    """A row of an append-only table, with the rows that it refers to, written into the file."""
    now = "2026-11-21T08:00:00.000Z"
    raw.execute("PRAGMA foreign_keys = OFF")
    values: dict[str, Any] = {"id": f"{table}_1", "created_at": now, "timestamp": now, "event_type": "page.view"}
    values |= {"delta": 1, "balance_after": 1, "reason": "receipt", "hash": "0" * 64}
    rows = raw.execute('SELECT name, type, "notnull", dflt_value FROM pragma_table_info(?)', (table,)).fetchall()
    row = {
        name: values.get(name, 1 if kind == "INTEGER" else "x")
        for name, kind, required, default in rows
        if name in values or (required and default is None)
    }
    marks = ", ".join("?" * len(row))
    raw.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    return row


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "way", ["update", "delete", "replace by key", "replace by rowid", "upsert", "update or replace"]
)
def test_history_is_only_appended(raw: Any, table: str, way: str) -> None:
    row = example(raw, table)
    before = raw.execute(f"SELECT rowid, * FROM {table}").fetchall()
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    other = {**row, "id": f"{table}_2"}
    ways: dict[str, tuple[str, tuple[Any, ...]]] = {
        "update": (f"UPDATE {table} SET created_at = 'later'", ()),
        "delete": (f"DELETE FROM {table}", ()),
        "replace by key": (f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})", tuple(row.values())),
        "replace by rowid": (
            f"INSERT OR REPLACE INTO {table} (rowid, {names}) VALUES (1, {marks})", tuple(other.values()),
        ),
        "upsert": (
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET created_at = 'later'",
            tuple(row.values()),
        ),
        "update or replace": (f"UPDATE OR REPLACE {table} SET id = 'x'", ()),
    }  # fmt: skip
    with pytest.raises(binding.Error, match=f"{table}_append_only"):
        raw.execute(*ways[way])
    assert raw.execute(f"SELECT rowid, * FROM {table}").fetchall() == before


def test_every_table_with_triggers_against_change_is_listed(raw: Any) -> None:
    rows = raw.execute(
        "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%append_only%'"
    )
    assert {name for (name,) in rows} == set(APPEND_ONLY)

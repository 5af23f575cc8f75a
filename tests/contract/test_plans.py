"""Every statement's query plan, on a fresh schema without statistics: exactly the indexes that the statement names.

*Goal*: no request walks or sorts a table that grows. *Method*: EXPLAIN QUERY PLAN on the SQLite that we ship with and
on the standard library's, which is often older; both must agree with what stands beside the SQL.
"""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import db.statements
from api.telemetry import name_of
from cli import derive
from db.engines.sqlite import binding
from db.sql import STATEMENTS, Sql
from db.statements.product_list import list_statements
from tests.contract.plans import Schema, plan_of

BINDINGS = {"shipped": binding, "standard": sqlite3}
if binding.sqlite_version == sqlite3.sqlite_version:
    del BINDINGS["standard"]

# Statements that walk or sort rows of a table, each with the reason why that does no harm.
EXCEPTIONS = {
    "db.statements.personal.FORGETS": "an erasure: looks through the answers that are kept for a day, once",
    "functions.health.APPLIED": "a row for each migration",
    "functions.jobs.roll_up_analytics.COUNT": "a job: sorts the events of the days that it counts, once",
}


def statements() -> list[Sql]:
    """Every statement of the code that runs in a function."""
    derive.load()
    for module in pkgutil.iter_modules(db.statements.__path__, "db.statements."):
        importlib.import_module(module.name)
    # Tests make statements of their own in the same list.
    return [*(one for one in STATEMENTS if name_of(one) != repr(one)), *list_statements()]


def label(sql: Sql) -> str:
    return name_of(sql) or repr(sql)


@pytest.fixture(scope="module", params=BINDINGS)
def schema(request: pytest.FixtureRequest, template: Path) -> Iterator[Schema]:
    connection: Any = BINDINGS[request.param].connect(str(template))
    yield Schema(connection)
    connection.close()


def test_the_schema_has_no_statistics(schema: Schema) -> None:
    (count,) = schema.connection.execute("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'").fetchone()
    assert count == 0


def test_every_statement_uses_exactly_the_indexes_that_it_names(schema: Schema) -> None:
    wrong = []
    for sql in statements():
        uses = plan_of(sql, schema).uses
        if uses != set(sql.indexes):
            wrong.append(
                f"{label(sql)}: lacks {set(sql.indexes) - uses or ''}, uses {uses - set(sql.indexes) or ''} too"
            )
    assert wrong == []


def test_no_statement_walks_or_sorts_a_table(schema: Schema) -> None:
    wrong = [
        f"{label(sql)}: {problem}"
        for sql in statements()
        if label(sql) not in EXCEPTIONS
        for problem in plan_of(sql, schema).wrong
    ]
    assert wrong == []


def test_every_exception_is_still_needed(schema: Schema) -> None:
    wrong = {label(sql) for sql in statements() if plan_of(sql, schema).wrong}
    assert EXCEPTIONS.keys() - wrong == set()


def test_every_statement_is_found() -> None:
    """A statement that no module keeps under a name would be checked by nobody's name, and logged as one."""
    found = statements()
    assert len(found) > 100
    assert [repr(one) for one in found if one in STATEMENTS and name_of(one) == repr(one)] == []


@pytest.mark.parametrize(
    ("text", "indexes", "lacks"),
    [
        ("SELECT id FROM orders WHERE notes = :x", (), "walks"),
        ("SELECT id FROM orders WHERE notes = :x", ("orders.pk",), "walks"),
        ("SELECT count(*) FROM orders", ("orders_by_status",), "walks"),
        ("SELECT slug FROM products WHERE deleted_at IS NULL ORDER BY slug", ("products_slug_once",), "walks"),
        ("SELECT slug FROM products WHERE deleted_at IS NULL ORDER BY slug LIMIT 9", ("products_slug_once",), None),
        ("SELECT slug FROM products WHERE deleted_at IS NULL ORDER BY slug LIMIT 9", (), "index"),
        ("SELECT id FROM orders WHERE reference = :x", (), "index"),
        ("SELECT id FROM orders WHERE reference = :x", ("orders.pk",), "index"),
        ("SELECT id FROM orders WHERE status = :x ORDER BY total", ("orders_by_status",), "sorts"),
        ("SELECT count(*) FROM payments WHERE order_id = :x GROUP BY provider", ("payments_by_order",), "sorts"),
        (
            "UPDATE inventory SET stock = stock - l.value FROM json_each(:x) l "
            "WHERE variant_id = l.key AND location_id = :y",
            ("inventory.pk",),
            "index",
        ),
        ("SELECT a.id FROM media a, media b WHERE a.width = b.width AND b.id = :x", ("media.pk",), "walks"),
        ("SELECT rowid FROM product_search WHERE title = :x", (), "walks"),
        ("SELECT value FROM json_each(:x) ORDER BY value", (), None),
    ],
)  # fmt: skip
def test_a_planted_statement_is_found(schema: Schema, text: str, indexes: tuple[str, ...], lacks: str | None) -> None:
    sql = Sql(text, *indexes, registered=False)
    plan = plan_of(sql, schema)
    found = {
        "walks": any("SCAN" in one or "AUTOMATIC" in one for one in plan.wrong),
        "sorts": any("TEMP B-TREE" in one for one in plan.wrong),
        "index": plan.uses != set(indexes),
    }
    if lacks is None:
        assert not any(found.values())
    else:
        assert found[lacks], plan


def test_the_analytics_query_of_document_004_is_not_sorted(schema: Schema) -> None:
    """Word for word; there it used the index and then a temporary B-tree."""
    query = """
        SELECT * FROM analytics_events
        WHERE event_type='pageview'
          AND timestamp >= datetime('now','-7 days')
        ORDER BY timestamp DESC
        LIMIT 50;
    """
    plan = [row[3] for row in schema.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SEARCH analytics_events USING INDEX idx_analytics_event_type (event_type=? AND timestamp>?)"]

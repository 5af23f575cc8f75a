"""Single judgements: what is kept, what is indexed, what is needless, and what only looks like a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.case import Case, Engine
from doctor.catalogue import CATALOGUE
from doctor.checks import soundness, versions
from doctor.rows import Counts
from doctor.schema import Schema
from doctor.words import singular, words
from tests.cli.terminal import ROOT
from tests.doctor.making import examined, keys, made

TIMES = "created_at TEXT, updated_at TEXT"


def test_words() -> None:
    assert words("UnitPrice") == words("unit_prices") == words("unitPrice") == ("unit", "price")
    assert words("HTTPStatus2") == ("http", "status", "2")
    assert [singular(one) for one in ("categories", "boxes", "address", "status", "moves", "ids")] == [
        *("category", "box", "address", "status", "move", "id")
    ]


@pytest.mark.parametrize(
    ("column", "after", "named"),
    [
        ("stock INTEGER", (), {"stock_without_check", "stock_without_trail"}),
        ("stock INTEGER CHECK (stock >= 0)", (), {"stock_without_trail"}),
        ("stock INTEGER CHECK (stock IS NOT NULL)", (), {"stock_without_check", "stock_without_trail"}),
        ("in_stock BOOLEAN", (), set()),
        ("low_stock_threshold INTEGER", (), set()),
        ('quantity INTEGER CONSTRAINT q CHECK ("quantity" BETWEEN 0 AND 9)', (), {"stock_without_trail"}),
        ("usage_count INTEGER", (), {"counter_without_check"}),
        ("reserved INT CHECK (reserved > -1)", (), set()),
        ("country TEXT", (), set()),
        ("price INTEGER, tax_rate REAL", (), set()),
        ("price DECIMAL(10,2)", ("INSERT INTO products (price) VALUES (3)",), set()),
        ("price DECIMAL(10,2)", ("INSERT INTO products (price) VALUES (3.5)",), {"money_in_real"}),
        ("born DATE, flag BOOLEAN", ("INSERT INTO products (born, flag) VALUES ('2001-01-01', 1)",), set()),
        ("flag BOOLEAN", ("INSERT INTO products (flag) VALUES ('yes')",), {"wrong_type"}),
        ("n INTEGER", ("INSERT INTO products (n) VALUES (1.5), ('7'), (NULL)",), {"wrong_type"}),
        (
            "stock INTEGER",
            (
                "CREATE TRIGGER keep BEFORE UPDATE ON products WHEN NEW.stock < 0 BEGIN SELECT RAISE(ABORT, 'no'); END",
                "CREATE TABLE stock_movements (id INTEGER PRIMARY KEY, stock_after INTEGER, created_at TEXT)",
            ),
            set(),
        ),
    ],
)
def test_columns_of_a_shop(tmp_path: Path, column: str, after: tuple[str, ...], named: set[str]) -> None:
    table = f"CREATE TABLE products (id INTEGER PRIMARY KEY, {column}, {TIMES})"
    assert {code for code, _ in keys(examined(made(tmp_path / "shop.db", table, *after)))} == named


@pytest.mark.parametrize(
    ("index", "served"),
    [
        ("(parent_id)", True),
        ("(parent_id, n)", True),
        ("(n, parent_id)", False),
        ("(parent_id) WHERE parent_id IS NOT NULL", True),
        ("(parent_id) WHERE n = 1", False),
        ("(abs(parent_id))", False),
    ],
)
def test_an_index_serves_a_foreign_key(tmp_path: Path, index: str, served: bool) -> None:
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE parents (id INTEGER PRIMARY KEY, {TIMES})",
        f"CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents, n INTEGER, {TIMES})",
        f"CREATE INDEX one ON children {index}",
    )
    assert (("foreign_key_without_index", "children(parent_id)") in keys(examined(path))) is not served


def test_needless_indexes(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c UNIQUE, {TIMES})",
        "CREATE INDEX a_first ON t (a)",
        "CREATE INDEX a_b ON t (a, b)",
        "CREATE INDEX a_b_again ON t (a, b)",
        "CREATE INDEX a_down ON t (a DESC, b)",
        "CREATE INDEX a_nocase ON t (a COLLATE NOCASE)",
        "CREATE INDEX a_some ON t (a) WHERE b = 1",
        "CREATE UNIQUE INDEX b_once ON t (b)",
        "CREATE INDEX b_plain ON t (b)",
        "CREATE INDEX c_plain ON t (c)",
        "CREATE INDEX id_plain ON t (id)",
    )
    assert keys(examined(path)) == {
        ("duplicate_index", one) for one in ("a_first", "a_b_again", "b_plain", "c_plain", "id_plain")
    }


def test_columns_that_look_like_foreign_keys(tmp_path: Path) -> None:
    path = made(
        tmp_path / "shop.db",
        f"CREATE TABLE users (id INTEGER PRIMARY KEY, {TIMES})",
        f"CREATE TABLE sell_items (id INTEGER PRIMARY KEY, parentId INTEGER, {TIMES})",
        f"CREATE TABLE orders (id INTEGER PRIMARY KEY, userId INTEGER, session_id TEXT, user_id TEXT, {TIMES})",
        "INSERT INTO users (id) VALUES (1), (2)",
        "INSERT INTO orders (userId, session_id, user_id) VALUES (1, 's', 'x1'), (9, 't', 'x2')",
    )
    found = {one.key: one.what for one in examined(path).findings}
    assert found == {
        (
            "looks_like_foreign_key",
            "orders.userId",
        ): "It seems to mean users.id; 1 of 2 values name none that is there.",
        ("looks_like_foreign_key", "sell_items.parentId"): "It seems to mean sell_items.id.",
    }


@pytest.mark.parametrize(
    ("engine", "named"),
    [
        (Engine("libsql", (3, 52, 0), True, 2, True), set()),
        (Engine("libsql", (3, 52, 0), True, 1, True), {"durability_relaxed"}),
        (Engine("libsql", (3, 45, 1), True, 2, False), {"corruption_bug", "foreign_keys_off"}),
        (Engine("d1", None, None, None, True), set()),
    ],
)
def test_what_a_server_tells_of_itself(engine: Engine, named: set[str]) -> None:
    case = Case("shop", engine, Schema(), Counts())
    assert {one.code for check in (soundness, versions) for one in check.findings(case)} == named


def test_the_page_names_every_code() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    for code, entry in CATALOGUE.items():
        written = "yes" if entry.written else ""
        assert f"| `{code}` | {entry.severity.word} | {entry.title} | {written} |\n" in page

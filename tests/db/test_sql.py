"""Named statements: numbering, the limits of every engine, refused before anything is sent, and the text of a guard."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from db.sql import (
    PARAMETERS_MAX,
    STATEMENT_BYTES_MAX,
    STATEMENTS,
    VALUE_BYTES_MAX,
    LimitExceeded,
    Sql,
    guard,
    unregistered,
)

WORDS = (
    "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END", "ROLLBACK", "ROLLBACK TO a", "SAVEPOINT a", "RELEASE a",
    "ATTACH 'x' AS y", "DETACH y", "VACUUM", "PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = 1",
)  # fmt: skip


def test_numbers_names_in_the_order_of_their_first_use() -> None:
    statement = unregistered("SELECT :b, :a, :b, :long_name2")(a=1, b="two", long_name2=None)
    assert statement.sql.text == "SELECT ?1, ?2, ?1, ?3"
    assert statement.values == ("two", 1, None)


def test_leaves_texts_and_comments_alone() -> None:
    sql = unregistered("SELECT ':a' || 'it''s :b', :c -- :d ; ?\n/* :e; ? */")
    assert sql.names == ("c",)
    assert "':a' || 'it''s :b'" in sql.text


@pytest.mark.parametrize("values", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
def test_refuses_missing_and_extra_values(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"expected \['a', 'b'\]"):
        unregistered("SELECT :a, :b")(**values)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("before", ["", "  \n", "-- a comment\n", "/* a comment */ "])
def test_refuses_what_opens_or_ends_a_transaction(word: str, before: str) -> None:
    for text in (before + word, before + word.lower()):
        with pytest.raises(LimitExceeded, match="a write is one batch"):
            unregistered(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" -- nothing\n/* here */ ", "empty"),
        ("SELECT 1; SELECT 2", "two statements"),
        ("SELECT 1;; DELETE FROM a", "two statements"),
        ("SELECT ?", "unnamed parameter"),
        ("SELECT ?1", "unnamed parameter"),
        ("SELECT :Name", "unnamed parameter"),
        ("SELECT :1", "unnamed parameter"),
        ("SELECT @name", "unnamed parameter"),
        ("SELECT $name", "unnamed parameter"),
        (f"SELECT '{'x' * STATEMENT_BYTES_MAX}'", "bytes"),
        (f"SELECT '{'é' * (STATEMENT_BYTES_MAX // 2)}'", "bytes"),
        (" UNION ALL ".join(["SELECT 1"] * 6), "compound"),
        ("SELECT " + ", ".join(f":p{number}" for number in range(PARAMETERS_MAX + 1)), "101 parameters"),
    ],
)
def test_refuses_statements_that_not_every_engine_takes(text: str, said: str) -> None:
    with pytest.raises(LimitExceeded, match=said):
        unregistered(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'a;b' ;",
        "SELECT '$.a', '?', '@a' || ':A'",
        "SELECT 'BEGIN; COMMIT'",
        "CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END",
        "-- why\nCREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; SELECT 2; END",
        "PRAGMA defer_foreign_keys = ON",
        " UNION ALL ".join(["SELECT 1"] * 5),
        "SELECT " + ", ".join(f":p{number}" for number in range(PARAMETERS_MAX)),
        f"SELECT '{'x' * (STATEMENT_BYTES_MAX - 20)}'",
    ],
)
def test_takes_what_every_engine_takes(text: str) -> None:
    assert unregistered(text).text == text.strip() or ":p" in text


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, math.nan, math.inf, -math.inf, "a\0b", "\ud800", "x" * (VALUE_BYTES_MAX + 1)]
)
def test_refuses_values_that_would_not_come_back(value: Any) -> None:
    with pytest.raises(LimitExceeded):
        unregistered("SELECT :value")(value=value)


def test_counts_the_bytes_of_a_long_text() -> None:
    sql = unregistered("SELECT :value")
    sql(value="é" * (VALUE_BYTES_MAX // 2))
    with pytest.raises(LimitExceeded):
        sql(value="é" * (VALUE_BYTES_MAX // 2 + 1))
    with pytest.raises(LimitExceeded):
        sql(value="x" * (VALUE_BYTES_MAX // 2) + "\0")


@pytest.mark.parametrize("value", [b"bytes", ["a"], {"a": 1}, Decimal("1.5"), object()])
def test_refuses_types_that_not_every_engine_stores(value: Any) -> None:
    with pytest.raises(TypeError, match="a parameter is"):
        unregistered("SELECT :value")(value=value)


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 1.5, True, None, "", "é", "x" * VALUE_BYTES_MAX])
def test_takes_values_that_come_back(value: Any) -> None:
    assert unregistered("SELECT :value")(value=value).values == (value,)


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("SELECT 1", False),
        ("-- why\n select 1", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT 'DELETE') SELECT * FROM a", False),
        ("VALUES (1)", False),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", True),
        ("WITH a AS (SELECT 1) REPLACE INTO b SELECT * FROM a", True),
        ("WITH a AS (SELECT replace('x', 'x', 'y')) SELECT * FROM a", False),
        ("INSERT INTO a VALUES (1)", True),
        ("/* select */ UPDATE a SET b = 1", True),
        ("DELETE FROM a", True),
        ("REPLACE INTO a VALUES (1)", True),
        ("CREATE TABLE a (b)", True),
    ],
)
def test_knows_what_writes(text: str, writes: bool) -> None:
    assert unregistered(text).writes is writes


def test_registers_what_is_named_only() -> None:
    before = len(STATEMENTS)
    unregistered("SELECT 1")
    assert len(STATEMENTS) == before
    named = Sql("SELECT 2")
    try:
        assert STATEMENTS.pop() is named
    finally:
        assert len(STATEMENTS) == before
    assert repr(named) == "Sql('SELECT 2')"


@pytest.mark.parametrize("code", ["", "Stale", "a-b", "a b", "a:b", "é", "a1"])
def test_refuses_a_code_that_is_no_code(code: str) -> None:
    with pytest.raises(ValueError, match="guard's code"):
        guard("1", code)


def test_writes_a_guard_that_is_one_select() -> None:
    text = guard("1 = :one", "insufficient_stock", "'why'")
    assert unregistered(text).names == ("one",)
    assert not unregistered(text).writes

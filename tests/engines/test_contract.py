"""The contract of the helper, on every engine alike: all or nothing, guards, constraints, limits, one snapshot, every
value as it was, and errors that mean something.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.helper import (
    Conflict,
    DatabaseError,
    Refused,
    Trip,
    observers,
)
from db.sql import LimitExceeded, guard, unregistered
from tests.db.engine_support import (
    COUNT,
    NEVER,
    PIECE,
    WRITTEN,
    shelf,
)
from tests.engines.candidates import Candidate


def test_answers_the_rows_of_every_statement(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    returning = unregistered("INSERT INTO shelves (id, name) VALUES (:id, :name) RETURNING id, length(name) AS long")
    found = run(db.batch([shelf(1), returning(id="shelf-2", name="Two"), COUNT()]))
    assert found == [[], [{"id": "shelf-2", "long": 3}], [{"n": 2}]]
    assert run(db.read(COUNT(), unregistered("SELECT id FROM shelves ORDER BY id")())) == [
        [{"n": 2}],
        [{"id": "shelf-1"}, {"id": "shelf-2"}],
    ]
    assert (db.engine, db.trips) == (candidate.engine, 2)


@pytest.mark.parametrize("position", range(6))
def test_keeps_all_or_nothing_wherever_it_fails(candidate: Candidate, position: int) -> None:
    db, run = candidate.db, candidate.run
    statements = [shelf(number) for number in range(5)]
    statements.insert(position, NEVER())
    with pytest.raises(Refused):
        run(db.batch(statements))
    assert candidate.one(COUNT.text) == 0
    run(db.batch([shelf(number) for number in range(5)]))
    assert candidate.one(COUNT.text) == 5


def test_keeps_nothing_when_the_commit_fails(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    defer = unregistered("PRAGMA defer_foreign_keys = ON")()
    with pytest.raises(Conflict) as caught:
        run(db.batch([defer, shelf(1), PIECE(id="a", shelf_id="none", count=1)]))
    assert caught.value.kind == "foreign_key"
    assert candidate.one(COUNT.text) == 0
    run(db.batch([defer, PIECE(id="a", shelf_id="shelf-1", count=1), shelf(1)]))
    assert candidate.one(COUNT.text) == 2
    with pytest.raises(Conflict):  # it was deferred for that batch only
        run(db.batch([PIECE(id="b", shelf_id="shelf-2", count=1), shelf(2)]))


@pytest.mark.parametrize(
    "detail",
    ["", "plain", 'it\'s "so"', "'", "''", "a\nb\r\n", "Ünï ✓ 😀", '{"lines": [1]}', "guard:other:x", "x" * 100_000],
)
def test_tells_a_guard_s_code_and_detail(candidate: Candidate, detail: str) -> None:
    db, run = candidate.db, candidate.run
    speaking = unregistered(guard("0", "spoken_here", ":detail"))
    with pytest.raises(Refused) as caught:
        run(db.batch([shelf(1), speaking(detail=detail)]))
    assert (caught.value.code, caught.value.detail) == ("spoken_here", detail)
    assert candidate.one(COUNT.text) == 0


def test_a_guard_without_a_detail_has_an_empty_one(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    with pytest.raises(Refused) as caught:
        run(db.batch([unregistered(guard("NULL", "silent", "NULL"))()]))
    assert (caught.value.code, caught.value.detail) == ("silent", "")


def test_guards_leave_the_count_of_changes_alone(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    run(db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=5), PIECE(id="b", shelf_id="shelf-1", count=1)]))
    take = unregistered("UPDATE pieces SET count = count - 2 WHERE count >= 2")()
    fine, taken = unregistered(guard("1", "fine"))(), unregistered(guard("changes() = 2", "not_all", "changes()"))()
    with pytest.raises(Refused) as caught:
        run(db.batch([take, fine, fine, taken]))
    assert (caught.value.code, caught.value.detail) == ("not_all", "1")
    assert [row["count"] for row in candidate.rows("SELECT count FROM pieces ORDER BY id")] == [5, 1]


@pytest.mark.parametrize(
    ("sql", "kind", "what"),
    [
        ("INSERT INTO shelves VALUES ('shelf-1', 'Other')", "unique", "shelves.id"),
        ("INSERT INTO shelves VALUES ('shelf-2', 'SHELF 1')", "unique", "shelves_name_once"),
        ("INSERT INTO shelves VALUES ('shelf-2', '')", "check", "shelves_name_not_empty"),
        ("UPDATE pieces SET count = count - 2", "check", "pieces_count_not_negative"),
        ("INSERT INTO shelves VALUES ('shelf-2', NULL)", "not_null", "shelves.name"),
        ("INSERT INTO pieces VALUES ('b', 'none', 1)", "foreign_key", ""),
        ("DELETE FROM shelves", "foreign_key", ""),
        (
            "INSERT INTO pieces VALUES ('b', 'shelf-1', 'x')",
            "type",
            "cannot store TEXT value in INTEGER column pieces.count",
        ),
        ("INSERT INTO history VALUES ('x', 'y')", "type", "datatype mismatch"),
        ("UPDATE history SET what = 'z'", "trigger", "history_append_only"),
        ("DELETE FROM history", "trigger", "history_deletion_refused"),
    ],
)
def test_maps_each_kind_of_constraint(candidate: Candidate, sql: str, kind: str, what: str) -> None:
    db, run = candidate.db, candidate.run
    run(db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=1), WRITTEN(what="begun")]))
    with pytest.raises(Conflict) as caught:
        run(db.batch([shelf(9), unregistered(sql)()]))
    assert (caught.value.kind, caught.value.what) == (kind, what)
    assert candidate.one(COUNT.text) == 2


def test_says_what_is_wrong_with_the_sql(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    for sql in ("SELECT * FROM nowhere", "SELEC 1"):
        with pytest.raises(DatabaseError, match=r"no such table|syntax error"):
            run(db.batch([shelf(1), unregistered(sql)()]))
    assert candidate.one(COUNT.text) == 0


def test_a_read_changes_nothing(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    for statements in ([shelf(1)], [COUNT(), shelf(1)], [unregistered("WITH a AS (SELECT 1) DELETE FROM shelves")()]):
        with pytest.raises(ValueError, match="a read changes nothing"):
            run(db.read(*statements))
    assert candidate.one(COUNT.text) == 0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT " + ", ".join(f":p{number}" for number in range(101)), {f"p{number}": 1 for number in range(101)}),
        ("SELECT '" + "x" * 100_000 + "'", {}),
        (" UNION ALL ".join(["SELECT 1"] * 6), {}),
        ("SELECT 1; SELECT 2", {}),
        ("BEGIN", {}),
        ("PRAGMA foreign_keys = OFF", {}),
        ("SELECT :value", {"value": "x" * 2_000_001}),
        ("SELECT :value", {"value": "a\0b"}),
        ("SELECT :value", {"value": "\ud800"}),
        ("SELECT :value", {"value": 2**63}),
        ("SELECT :value", {"value": float("inf")}),
    ],
)
def test_refuses_before_sending_what_some_engine_does_not_take(
    candidate: Candidate, text: str, values: dict[str, Any]
) -> None:
    with pytest.raises(LimitExceeded):
        candidate.run(candidate.db.batch([shelf(1), unregistered(text)(**values)]))
    assert candidate.db.trips == 0
    assert candidate.one(COUNT.text) == 0


def test_takes_what_is_just_within_the_limits(candidate: Candidate) -> None:
    names = [f"p{number}" for number in range(100)]
    many = unregistered("SELECT " + ", ".join(f":{name} AS {name}" for name in names))
    ones = dict.fromkeys(names, 1)
    assert candidate.run(candidate.db.read(many(**ones))) == [[ones]]
    assert candidate.one("SELECT length(:value) AS n", value="x" * 2_000_000) == 2_000_000
    assert candidate.one("SELECT 1 AS n /* " + "x" * 99_900 + " */") == 1
    assert len(candidate.run(candidate.db.batch([COUNT()] * 1_000))) == 1_000


def test_refuses_too_few_and_too_many_statements(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    for statements in ([], [COUNT()] * 1_001):
        with pytest.raises(ValueError, match="1 to 1000 statements"):
            run(db.batch(statements))
        with pytest.raises(ValueError, match="1 to 1000 statements"):
            run(db.read(*statements))


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        2**53 - 1,
        0.1,
        -1e300,
        5e-324,
        "",
        "123",
        "1.0",
        "é ✓ 😀",
        "a'b\"c\n\\",
        "\u2028",
        None,
    ],
)
def test_values_come_back_as_they_went(candidate: Candidate, value: Any) -> None:
    [row] = candidate.rows("SELECT :value AS value, typeof(:value) AS type", value=value)
    assert row["value"] == value
    assert type(row["value"]) is type(value)
    [row] = candidate.rows("SELECT value ->> '$.x' AS value FROM json_each(:list)", list=json.dumps([{"x": value}]))
    assert row["value"] == value


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_a_large_integer_is_exact_or_refused(candidate: Candidate, value: int) -> None:
    """It is kept to the last digit on every engine. D1 cannot tell it as a number, and must not tell another one."""
    keep = unregistered("INSERT INTO everything (id, number) VALUES ('a', :value)")
    candidate.run(candidate.db.batch([keep(value=value)]))
    assert candidate.one("SELECT CAST(number AS TEXT) AS value FROM everything") == str(value)
    assert candidate.one("SELECT number = :value AS same FROM everything", value=value) == 1
    if candidate.engine == "d1":
        with pytest.raises(DatabaseError, match=r"beyond 2\^53: read it as CAST\(number AS TEXT\)"):
            candidate.rows("SELECT number FROM everything")
    else:
        assert candidate.one("SELECT number FROM everything") == value


def test_a_boolean_is_0_or_1(candidate: Candidate) -> None:
    assert candidate.rows("SELECT :yes AS yes, :no AS no, typeof(:yes) AS type", yes=True, no=False) == [
        {"yes": 1, "no": 0, "type": "integer"}
    ]


def test_a_thousand_lines_travel_as_one_text(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    lines = json.dumps([{"id": f"piece-{number}", "count": number} for number in range(1_000)])
    add = unregistered("INSERT INTO pieces SELECT value ->> 'id', 'shelf-1', value ->> 'count' FROM json_each(:lines)")
    run(db.batch([shelf(1), add(lines=lines)]))
    assert candidate.rows("SELECT count(*) AS n, sum(count) AS sum FROM pieces") == [{"n": 1_000, "sum": 499_500}]


def test_tells_observers_of_every_trip(candidate: Candidate) -> None:
    db, run = candidate.db, candidate.run
    trips: list[Trip] = []
    observers.append(trips.append)
    try:
        slow = unregistered(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200000) SELECT max(i) FROM n"
        )
        run(db.read(COUNT(), slow()))
        with pytest.raises(Refused):
            run(db.batch([shelf(1), NEVER(), shelf(2)]))
    finally:
        observers.remove(trips.append)
    read, batch = trips
    assert (read.kind, read.engine, read.statements, read.error) == ("read", candidate.engine, 2, None)
    assert read.slowest is not None and read.slowest.text == slow.text
    assert 0 < read.slowest_seconds <= read.seconds
    assert (batch.kind, batch.statements, batch.error) == ("batch", 3, "Refused")

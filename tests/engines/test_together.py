"""Many at once and much at once, on every engine: one snapshot a read, exact sums, bulk inserts all or nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from db.helper import Conflict, Database, TimedOut, Unknown, insert_many
from db.sql import unregistered
from tests.db.engine_support import COUNT, PIECE, shelf
from tests.engines.candidates import Candidate

LONG = unregistered(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000000) SELECT count(*) AS n FROM n"
)
"""A second or two; not for ever, because a server goes on when its client has lost patience."""


def test_a_read_is_one_snapshot(candidate: Candidate) -> None:
    left, right = (unregistered(f"SELECT count FROM pieces WHERE id = '{name}'") for name in "ab")
    out = unregistered("UPDATE pieces SET count = count - 1 WHERE id = 'a' AND count > 0")
    into = unregistered("UPDATE pieces SET count = count + changes() WHERE id = 'b'")

    async def move_and_look(mover: Database) -> list[Any]:
        seen: list[Any] = []

        async def move() -> None:
            while len(seen) < 150:
                await mover.batch([out(), into()])
                await asyncio.sleep(0)

        moving = asyncio.create_task(move())
        while len(seen) < 150 or (seen[0] == seen[-1] and not moving.done()):
            seen.append(await candidate.db.read(left(), right()))
            await asyncio.sleep(0)  # a serving file answers without letting go of the loop
        await moving
        return seen

    candidate.run(candidate.db.batch([shelf(1), *[PIECE(id=one, shelf_id="shelf-1", count=2_000) for one in "ab"]]))
    with candidate.another() as mover:
        pairs = candidate.run(move_and_look(mover))
    assert {a["count"] + b["count"] for [[a], [b]] in pairs} == {4_000}
    assert len({a["count"] for [[a], [_]] in pairs}) > 1, "nobody wrote meanwhile"


def test_batches_at_once_add_up(candidate: Candidate) -> None:
    add = unregistered("UPDATE pieces SET count = count + 1 WHERE id = 'a'")
    candidate.run(candidate.db.batch([shelf(1), PIECE(id="a", shelf_id="shelf-1", count=0)]))

    async def all_at_once(*clients: Database) -> None:
        await asyncio.gather(*[client.batch([add(), add()]) for client in clients for _ in range(20)])

    with candidate.another() as second, candidate.another() as third:
        candidate.run(all_at_once(candidate.db, second, third))
    assert candidate.one("SELECT count FROM pieces") == 120


def test_a_bulk_insert_is_all_or_nothing(candidate: Candidate) -> None:
    records: list[dict[str, Any]] = [{"id": f"s{number}", "name": f"{number:0100}"} for number in range(12_000)]
    assert candidate.run(insert_many(candidate.db, "shelves", records)) == 12_000
    assert candidate.db.trips == 1
    found = candidate.rows(
        "SELECT count(*) AS n, sum(length(name)) AS long, max(CAST(name AS INTEGER)) AS most FROM shelves"
    )
    assert found == [{"n": 12_000, "long": 1_200_000, "most": 11_999}]
    again = [{"id": f"t{number}", "name": f"T{number:0100}"} for number in range(12_000)]
    again[-1]["name"] = ""
    with pytest.raises(Conflict, match="shelves_name_not_empty"):
        candidate.run(insert_many(candidate.db, "shelves", again))
    assert candidate.one(COUNT.text) == 12_000


def test_gives_up_what_takes_too_long_and_goes_on(candidate: Candidate) -> None:
    """A server goes on with what its client has given up: of a batch nobody knows, then. A file's is stopped."""
    with candidate.another(timeout_ms=300) as hasty:
        with pytest.raises(TimedOut):
            candidate.run(hasty.read(COUNT(), LONG()))
        with pytest.raises(TimedOut if candidate.engine == "sqlite" else Unknown):
            candidate.run(hasty.batch([shelf(1), LONG(), shelf(1)]))
    with candidate.another(timeout_ms=60_000) as patient:  # the server may still be at work on both
        candidate.run(patient.batch([shelf(2)]))
    assert [row["id"] for row in candidate.rows("SELECT id FROM shelves")] == ["shelf-2"]

"""`tally audit verify`, on every engine: any row changed, removed, swapped or added past the triggers is named."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.trail import HASHED, content_hash
from cli import audit_chain
from cli.audit_chain import Verdict
from db.helper import connect
from tests.functions.jobs.support import run
from tests.functions.stock.support import adjust
from tests.shop import Shop

ROWS = 6
SEALED = pytest.mark.parametrize("sealed", [True, False])


def written(shop: Shop, *, sealed: bool) -> list[str]:
    """Six rows, of a person and a key; the ids by number."""
    variant, token = shop.variant(stock=100), shop.session(shop.user("staff"))
    for number in range(ROWS):
        if number % 2:
            body = {"variant_id": variant, "delta": number, "reason": "return"}
            sent = shop.post("/stock/adjustments", body, token=token, headers={"user-agent": "Till/1"})
        else:
            sent = adjust(shop, variant, 1)
        assert sent.status == 201
    if sealed:
        assert run("seal_audit_logs")["sealed"] == ROWS
    return [row_id for (row_id,) in shop.rows("SELECT id FROM audit_logs ORDER BY sequence")]


def verified(shop: Shop, head: str | None = None) -> Verdict:
    async def ask() -> Verdict:
        db = await connect(shop.url)
        try:
            return await audit_chain.verify(db, head)
        finally:
            await db.close()

    return asyncio.get_event_loop().run_until_complete(ask())


def past_the_triggers(shop: Shop, *statements: str) -> None:
    for (name,) in shop.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit_l%'"):
        shop.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        shop.execute(statement)


def broken(shop: Shop) -> tuple[Any, ...]:
    found = verified(shop).broken
    assert found is not None, "nothing was found"
    return tuple(found)


@SEALED
def test_what_was_written_is_whole(shop: Shop, sealed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verified(shop) == Verdict(0, 0, None, None)
    written(shop, sealed=sealed)
    whole = verified(shop)
    assert (whole.rows, whole.sealed, whole.broken) == (ROWS, ROWS * sealed, None)
    run("seal_audit_logs")
    assert whole.head == shop.one("SELECT hash FROM audit_links ORDER BY sequence DESC LIMIT 1")
    monkeypatch.setattr(audit_chain, "ROWS_MAX", 2)
    assert verified(shop) == whole._replace(sealed=ROWS)


@SEALED
@pytest.mark.parametrize(
    "change",
    ["actor = 'user_other'", "after = '{}'", "before = '{}'", "created_at = '2026-01-02T00:00:00.000Z'",
     "action = 'orders:cancel'", "entity_id = 'variant_other'", "request_id = NULL", "user_id = NULL",
     "content_hash = replace(content_hash, substr(content_hash, 1, 8), 'deadbeef')"],
)  # fmt: skip
def test_a_row_that_was_changed_is_named(shop: Shop, sealed: bool, change: str) -> None:
    ids = written(shop, sealed=sealed)
    past_the_triggers(shop, f"UPDATE audit_logs SET {change} WHERE sequence = 4")
    assert broken(shop) == (4, ids[3], "changed")


def test_a_row_changed_with_its_hash_is_named_by_its_link(shop: Shop) -> None:
    ids = written(shop, sealed=True)
    row = dict(zip(HASHED, shop.rows(
        f"SELECT {', '.join(HASHED)} FROM audit_logs WHERE sequence = 3")[0], strict=True))  # fmt: skip
    forged = content_hash({**row, "after": "{}"})
    past_the_triggers(shop, f"UPDATE audit_logs SET after = '{{}}', content_hash = '{forged}' WHERE sequence = 3")
    assert broken(shop) == (3, ids[2], "changed")


@SEALED
@pytest.mark.parametrize("number", [1, 3, ROWS])
def test_a_row_that_was_removed_is_named(shop: Shop, sealed: bool, number: int) -> None:
    ids = written(shop, sealed=sealed)
    shop.raw.many([("PRAGMA foreign_keys = OFF", ())]) if shop.url.startswith("sqlite") else None
    if sealed and not shop.url.startswith("sqlite"):
        # A server keeps its foreign keys on: there the link has to go first.
        past_the_triggers(shop, f"DELETE FROM audit_links WHERE sequence = {number}")
    past_the_triggers(shop, f"DELETE FROM audit_logs WHERE sequence = {number}")
    named = ids[number - 1] if sealed and shop.url.startswith("sqlite") else None
    assert broken(shop) == (number, named, "removed")


@SEALED
def test_rows_that_were_swapped_are_named(shop: Shop, sealed: bool) -> None:
    ids = written(shop, sealed=sealed)
    past_the_triggers(
        shop,
        "UPDATE audit_logs SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit_logs SET sequence = 2 WHERE sequence = 5",
        "UPDATE audit_logs SET sequence = 5 WHERE sequence = 99",
    )
    # Sealed, the first of the two is named; else the first that lies before its predecessor.
    assert broken(shop) == ((2, ids[4], "swapped") if sealed else (3, ids[2], "swapped"))


@SEALED
def test_contents_that_were_swapped_are_named(shop: Shop, sealed: bool) -> None:
    ids = written(shop, sealed=sealed)
    columns = [name for name in (*HASHED, "content_hash") if name != "id"]
    taken = ", ".join(f"{name} = (SELECT {name} FROM audit_logs o WHERE o.sequence = 5)" for name in columns)
    past_the_triggers(shop, f"UPDATE audit_logs SET {taken} WHERE sequence = 2")
    assert broken(shop) == (2, ids[1], "changed")


@SEALED
@pytest.mark.parametrize(("sequence", "told"), [(str(ROWS + 1), ROWS + 1), ("NULL", None)])
def test_a_row_that_was_added_is_named(shop: Shop, sealed: bool, sequence: str, told: int | None) -> None:
    written(shop, sealed=sealed)
    row = {name: "x" for name in HASHED} | dict.fromkeys(("before", "after", "user_id"), None)
    row["created_at"] = "2026-01-02T00:00:00.000Z"
    shop.insert("audit_logs", **row, content_hash=content_hash(row), sequence=None if told is None else told)
    assert broken(shop) == (told, "x", "added")


@SEALED
def test_a_personal_value_that_was_changed_is_named(shop: Shop, sealed: bool) -> None:
    ids = written(shop, sealed=sealed)
    shop.execute("UPDATE personal_values SET value = '\"Till/2\"' WHERE row_id = ? AND name = 'user_agent'", ids[3])
    assert broken(shop) == (4, ids[3], "value changed")


@SEALED
def test_a_personal_value_that_was_added_is_named(shop: Shop, sealed: bool) -> None:
    ids = written(shop, sealed=sealed)
    shop.insert(
        "personal_values", row_id=ids[1], name="/after/email", salt="0" * 32, value=json.dumps("a@example.com"),
        created_at=shop.now, updated_at=shop.now,
    )  # fmt: skip
    assert broken(shop) == (2, ids[1], "value changed")


@SEALED
def test_erased_values_leave_the_chain_whole(shop: Shop, sealed: bool) -> None:
    written(shop, sealed=sealed)
    before = verified(shop)
    shop.execute("DELETE FROM personal_values")
    assert verified(shop) == before
    assert before.broken is None


def test_a_head_tells_a_log_that_was_cut_or_written_anew(shop: Shop) -> None:
    written(shop, sealed=True)
    head = verified(shop).head
    written(shop, sealed=False)
    assert verified(shop, head).broken is None
    past_the_triggers(
        shop,
        "DELETE FROM audit_links WHERE sequence > 4",
        "DELETE FROM audit_logs WHERE sequence > 4",
        "UPDATE audit_counters SET count = 4",
    )
    assert verified(shop).broken is None
    assert verified(shop, head).broken == (None, None, "head")

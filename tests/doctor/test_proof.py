"""The proof itself: what a migration must not do is seen, each kind of it, and then nothing is written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doctor.examine import examine
from doctor.mend.migration import Migration, migration_of
from doctor.mend.proof import Proof, prove
from doctor.patient import patient_of
from tests.cli.terminal import Terminal
from tests.doctor import older_shop
from tests.doctor.making import made, make, state


def proof_of(path: Path, up: list[str], down: list[str], *, claims: str = "") -> Proof:
    """The proof of these statements; `claims` is the code that they are said to mend."""

    async def run() -> Proof:
        async with patient_of(str(path)) as patient:
            examined = await examine(patient)
            mends = [one for one in examined.findings if one.code == claims]
            return await prove(patient, examined, Migration([("", up)], [("", down)], mends))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("up", "down", "claims", "told"),
    [
        (["DELETE FROM logs WHERE rowid = 30"], [], "", "NOT EQUAL"),
        (["UPDATE products SET price = price + 1e-9 WHERE id = 5"], [], "", "NOT EQUAL"),
        (["UPDATE products SET stock = '5' || 'x' WHERE id = 5"], [], "", "NOT EQUAL"),
        (["UPDATE images SET url = CAST(url AS BLOB) WHERE id = 5"], [], "", "NOT EQUAL"),
        (["UPDATE logs SET rowid = 99 WHERE rowid = 30"], [], "", "NOT EQUAL"),
        (["ALTER TABLE users DROP COLUMN name"], ["ALTER TABLE users ADD COLUMN name"], "", "no such column"),
        (["DROP TABLE logs"], [], "", "no such table"),
        ([], ["DELETE FROM logs"], "", "NOT EQUAL"),
        (["CREATE INDEX one ON logs (level)"], [], "", "extra index one"),
        ([], ["CREATE TABLE more (a)"], "", "extra table more"),
        (["CREATE INDEX one ON logs (level)"], ["DROP INDEX one"], "no_primary_key", "no_primary_key logs"),
        (["CREATE INDEX one ON nowhere (a)"], [], "", "up: no such table: main.nowhere"),
        ([], ["DROP INDEX one"], "", "down: no such index: one"),
    ],
)
def test_what_a_migration_must_not_do_is_seen(
    tmp_path: Path, up: list[str], down: list[str], claims: str, told: str
) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    before = state(tmp_path)
    proof = proof_of(path, up, down, claims=claims)
    assert not proof.holds
    assert told in "\n".join(proof.lines())
    assert state(tmp_path) == before


def test_a_harmless_one_holds(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)
    proof = proof_of(path, ["CREATE INDEX one ON orders (user_id)"], ["DROP INDEX one"])
    assert proof.holds, proof.lines()


def test_what_does_not_hold_is_not_written(terminal: Terminal) -> None:
    """A trigger of the owner's that calls the owner's function: ALTER TABLE runs, what follows does not parse."""
    path = made(
        terminal.folder / "shop.db",
        "CREATE TABLE products (id INTEGER PRIMARY KEY, stock INTEGER)",
        "CREATE TABLE lost (a)",
        "CREATE TRIGGER calls AFTER INSERT ON products BEGIN INSERT INTO lost VALUES (1); END",
        "PRAGMA legacy_alter_table = ON",
        "ALTER TABLE lost RENAME TO found_again",
    )
    before = state(terminal.folder)
    done = terminal.tally("doctor", path, "--write-migration", "m")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("tally: the migration does not hold on a copy, so none was written\ntally: ")
    assert "error in trigger calls" in done.err
    assert state(terminal.folder) == before


def test_the_same_findings_give_the_same_migration(tmp_path: Path) -> None:
    path = make(tmp_path / "shop.db", older_shop)

    async def text() -> str:
        async with patient_of(str(path)) as patient:
            return migration_of(await examine(patient)).text("up", "x")

    assert asyncio.run(text()) == asyncio.run(text())

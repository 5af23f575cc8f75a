"""The backup drill: it holds on a file and from engine to engine, it finds bad backups, and each lie can be seen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from db.backup_file import Manifest
from tests.faults.backup_judged import GROWING, Held, judged
from tests.faults.placing import Placed

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "faults" / "backup_drill.py"


def drilled(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--orders", "200", *arguments], stdout=subprocess.PIPE, text=True, timeout=170
    )
    return done.returncode, json.loads(done.stdout)


def test_a_backup_under_load_is_restored_as_it_was() -> None:
    """On a file; `make drill` does it on every engine."""
    code, told = drilled("--engine", "sqlite", "--to", "sqlite")
    assert (code, told["wrong"]) == (0, [])
    assert told["acknowledged_before"] > 0 and told["acknowledged_meanwhile"] > 0 and told["acknowledged_after"] > 0
    assert told["orders"] >= 200 + told["acknowledged_before"]
    assert told["lost_orders"] <= told["acknowledged_meanwhile"]
    assert set(told["heads"]) == {"orders", "stock_moves"} and len(told["content_sha256"]) == 64


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        ("torn", "restore ended with 1"),
        ("without_a_row", "1 orders were half there, without remembered answer"),
        ("cut_short", "the file: "),
    ],
)
def test_the_planted_bad_backup_is_found(plant: str, words: str) -> None:
    code, told = drilled("--backup", f"tests.plants.backups.{plant}")
    assert code == 1
    assert any(one.startswith(words) for one in told["wrong"]), told["wrong"]


def test_a_backup_that_was_never_made_is_found(tmp_path: Path) -> None:
    code, told = drilled("--backup", "tests.plants.no_such_module")
    assert code == 1
    assert told["wrong"][0].startswith("backup ended with 1") and told["wrong"][1].startswith("the file: there is no")


@pytest.mark.parametrize("wrong", [["--writers", "0"], ["--orders", "-1"], ["--engine", "oracle"], ["--what"]])
def test_refuses_wrong_usage(wrong: list[str]) -> None:
    assert subprocess.run([sys.executable, str(SCRIPT), *wrong], capture_output=True).returncode == 2


BEGAN, ENDED = 10.0, 20.0


def bought(order: str, asked: float) -> Placed:
    return Placed(f"key-{order}", order, {"variant_a": 1}, False, asked, asked + 1)


PLACED = [bought("a", 1), bought("b", 12), bought("c", 15), bought("d", 25)]
SOURCE = {name: list("abcd") for name in GROWING}


def file_of(orders: str, /, **without: str) -> Held:
    """What a file holds of the orders, some parts of some of them left out."""

    def those(part: str) -> str:
        return "".join(one for one in orders if one not in without.get(part, ""))

    about: Any = {"format": "tallystick-backup", "format_version": 1, "release": "", "engine": "", "taken_at": ""}
    manifest = Manifest(**about, schema_version=1, migrations=[], tables=[], content_sha256="")
    return Held(
        manifest,
        {name: list(those(name)) for name in GROWING},
        {one: Counter({"variant_a": 1}) for one in those("items")},
        {one: Counter({"variant_a": 1}) for one in those("moved")},
        Counter(those("events")),
        Counter(those("messages")),
        {one: f"key-{one}" for one in those("keys")},
        {},
    )


def wrong_in(found: Held, source: dict[str, list[str]] = SOURCE) -> list[str]:
    return judged(found, PLACED, source, BEGAN, ENDED)[1]


@pytest.mark.parametrize(("orders", "lost"), [("a", 2), ("ab", 1), ("abc", 0)])
def test_any_moment_of_the_backup_is_good(orders: str, lost: int) -> None:
    facts, wrong = judged(file_of(orders), PLACED, SOURCE, BEGAN, ENDED)
    assert wrong == []
    assert (facts["lost_orders"], facts["lost_seconds"]) == (lost, {0: 0, 1: 4, 2: 7}[lost])
    assert [facts[f"acknowledged_{when}"] for when in ("before", "meanwhile", "after")] == [1, 2, 1]


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        ("", "acknowledged before the backup began, and not in it: a"),
        ("abcd", "asked for after the backup had ended, and in it: d"),
        ("ac", "asked for after another one was acknowledged that is not in the backup: c"),
        ("ac", "orders is not how the shop's began: it differs from row 2 on, c"),
        ("ba", "order_items is not how the shop's began: it differs from row 1 on, b"),
    ],
)
def test_another_moment_is_seen(orders: str, words: str) -> None:
    assert any(words in one for one in wrong_in(file_of(orders)))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("orders", "without order: b"),
        ("items", "without items: b"),
        ("moved", "without stock moves: b"),
        ("events", "without event: b"),
        ("messages", "without message: b"),
        ("keys", "without remembered answer: b"),
        ("stock_moves", "stock_moves is not how the shop's began: it differs from row 2 on, c"),
    ],
)
def test_half_an_order_is_seen(part: str, words: str) -> None:
    assert any(words in one for one in wrong_in(file_of("abc", **{part: "b"})))


def test_other_pieces_are_seen() -> None:
    found = file_of("abc")
    found.moved["b"]["variant_a"] = 2
    assert wrong_in(found) == ["1 orders were of other pieces than left the stock for them: b"]
    found.items["b"]["variant_a"] = 2
    assert wrong_in(found) == ["1 orders were of other pieces, or under another key, than was asked for: b"]


def test_a_quiet_shop_proves_nothing() -> None:
    _, wrong = judged(file_of("a"), PLACED[:1], SOURCE, BEGAN, ENDED)
    assert [one.split(":")[0] for one in wrong] == ["nobody bought", "nobody bought"]

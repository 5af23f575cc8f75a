"""A server killed twice in mid-load; `make kills` does it ten times. And what is judged afterwards can be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.engine_kills import judged
from tests.faults.placing import Placed, Told

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "faults" / "engine_kills.py"


def killed(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], stdout=subprocess.PIPE, text=True, timeout=170, env={**os.environ}
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("engine", ["libsql", "d1"])
def test_what_was_acknowledged_outlives_the_server(engine: str) -> None:
    code, told = killed("--engine", engine, "--kills", "2")
    assert (code, told["wrong"], told["lost"], told["double"], told["unanswered"]) == (0, [], 0, 0, 0)
    assert told["acknowledged"] >= 3 * 4 * 8
    assert told["unknown"] + told["asked_again"] > 0, "nobody was at work when the server was killed"


def test_the_planted_defect_is_found() -> None:
    code, told = killed("--kills", "2", "--handler", "tests.plants.acknowledge_first")
    assert code == 1
    assert told["lost"] > 0
    assert any("must be there" in one for one in told["wrong"])


@pytest.mark.parametrize("wrong", [["--kills", "0"], ["--engine", "sqlite"], ["--what"]])
def test_refuses_wrong_usage(wrong: list[str]) -> None:
    assert subprocess.run([sys.executable, str(SCRIPT), *wrong], capture_output=True).returncode == 2


def test_one_order_for_two_keys_is_seen() -> None:
    placed = [Placed(f"key-{number}", "a", {"variant_a": 1}, False) for number in range(2)]
    memory = judged(Told(placed, ["key"], ["500"], Counter()), ["variant_a"], 0)
    assert memory.wrong == ["500", "two keys were told the same order a"]

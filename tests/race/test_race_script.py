"""The race script itself: exact rounds are exact, a planted defect is found, and nothing outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from proof.books import Left, sums
from proof.memory import Memory, Verdict
from tests.race import race_checkout
from tests.race.buyers import Buyer, Told
from tests.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "race" / "race_checkout.py"
MEMBERS = ["buyers", "stock", "placed", "refused", "errors", "seconds", "violations"]


def raced(*arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]], str]:
    """The exit code, a dict for each line of the output, and what was said on standard error."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True, text=True, timeout=170, env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_exactly_the_stock_is_sold() -> None:
    code, rounds, said = raced("--buyers", "60", "--stock", "7", "--rounds", "2")
    assert (code, said) == (0, "")
    assert [list(one) for one in rounds] == [MEMBERS] * 2
    for one in rounds:
        assert (one["placed"], one["refused"], one["errors"], one["violations"]) == (7, 53, 0, [])


def test_carts_that_overlap_are_served_exactly(shop: Shop) -> None:
    code, [told], said = raced("--buyers", "40", "--stock", "5", "--lines", "5", "--database-url", shop.url)
    assert (code, said, told["violations"]) == (0, "", [])
    assert (told["placed"], told["refused"]) == (5, 35)
    assert shop.one("SELECT count(*) FROM orders") == 5
    shop.checked()


def test_more_stock_than_buyers_serves_all() -> None:
    code, [told], _ = raced("--buyers", "8", "--stock", "50", "--processes", "2")
    assert (code, told["placed"], told["refused"]) == (0, 8, 0)


def test_a_server_started_for_the_race_sells_exactly_the_stock() -> None:
    code, rounds, said = raced("--buyers", "60", "--stock", "7", "--serve")
    assert (code, said, [(one["placed"], one["refused"]) for one in rounds]) == (0, "", [(7, 53)])


def test_the_planted_defect_is_found() -> None:
    code, [told], _ = raced("--buyers", "40", "--stock", "5", "--handler", "tests.plants.check_then_write")
    assert code == 1
    assert told["placed"] > 5
    assert f"{told['placed']} placed, the stock allows 5" in told["violations"]
    assert any("invariant 01_" in violation for violation in told["violations"])


def test_the_planted_defect_is_found_in_carts_that_overlap() -> None:
    handler = "tests.plants.check_then_write"
    code, [told], _ = raced("--buyers", "40", "--stock", "3", "--lines", "3", "--handler", handler)
    assert code == 1
    assert told["placed"] > 3
    assert any("must be there" in violation for violation in told["violations"])


def test_the_plant_alone_behaves() -> None:
    code, [told], _ = raced("--buyers", "1", "--stock", "1", "--handler", "tests.plants.check_then_write")
    assert (code, told["placed"]) == (0, 1)


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    """A server on the shop's file; its address."""
    arguments = [sys.executable, "-m", "cli.main", "--database-url", shop.url, "serve", "--port", "0", "--no-jobs"]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().removeprefix("Tallystick serves ").strip()
        finally:
            server.terminate()
            server.wait(40)


def test_a_server_sells_exactly_the_stock(shop: Shop) -> None:
    with served(shop) as url:
        code, [told], said = raced("--buyers", "60", "--stock", "7", "--url", url, "--database-url", shop.url)
        assert (code, said, told["placed"], told["refused"]) == (0, "", 7, 53)
        # With nothing but a key, the books are asked of the API.
        code, [told], said = raced(
            "--buyers", "30", "--stock", "3", "--lines", "2", "--url", url, TALLYSTICK_API_KEY=shop.admin
        )
        assert (code, said, told["violations"]) == (0, "", [])
        assert told["placed"] + told["refused"] == 30
    shop.checked()


def test_a_server_that_is_away_is_no_success() -> None:
    code, rounds, _ = raced("--buyers", "4", "--stock", "1", "--url", "http://127.0.0.1:9", TALLYSTICK_API_KEY="sk_x")
    assert (code, rounds) == (1, [])


@pytest.mark.parametrize(
    "wrong",
    [
        ["--buyers", "0"],
        ["--lines", "101"],
        ["--stock", "-1"],
        ["--url", "http://127.0.0.1:9"],
        ["--what"],
        ["--engine", "what"],
        ["--serve", "--url", "http://127.0.0.1:9"],
    ],
)
def test_refuses_wrong_usage(wrong: list[str]) -> None:
    code, rounds, said = raced(*wrong)
    assert (code, rounds) == (2, [])
    assert "race" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_its_processes_do_not_outlive_it(tmp_path: Path, how: signal.Signals) -> None:
    arguments = [sys.executable, str(SCRIPT), "--buyers", "40", "--stock", "5", "--rounds", "10000"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # what is killed leaves its folder behind
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as script:
        assert script.stdout is not None
        script.stdout.readline()
        children = _children(script.pid)
        assert len(children) >= 4
        script.send_signal(how)
        script.wait(30)
        patience = time.monotonic() + 20
        while children & _running() and time.monotonic() < patience:
            time.sleep(0.05)
        assert not children & _running()
    assert how == signal.SIGKILL or not list(tmp_path.iterdir())


def _running() -> set[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in listed.splitlines() if "Z" not in line.split()[1]}


def _children(pid: int) -> set[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return {child for child, parent in pairs if parent == pid}


class TestJudging:
    """Each lie about one honest round, in which 2 of 3 buyers got 2 pieces, is a violation."""

    class Books:
        def __init__(self, stock: int, sold: int) -> None:
            self.told = Left(stock, sold)

        async def open(self, articles: int, stock: int) -> list[str]:
            return ["variant_a"]

        async def left(self, variants: Any) -> Any:
            return dict.fromkeys(variants, self.told)

        async def compare(self, memory: Memory) -> Verdict:
            return Verdict([], [], [*memory.wrong, *sums(memory, await self.left(list(memory.opened)))])

    class Crowd:
        def __init__(self, *told: Told) -> None:
            self.told = list(told)

        def race(self, buyers: list[Buyer]) -> tuple[list[Told], float]:
            return self.told, 0.1

    def judged(self, *told: Told, stock: int = 0, sold: int = 2) -> dict[str, Any]:
        crowd: Any = self.Crowd(*told)
        return asyncio.run(race_checkout.race(crowd, self.Books(stock, sold), len(told), 2, 1))

    @staticmethod
    def placed(number: int) -> Told:
        return Told(201, {"id": f"order_{number}"})

    @staticmethod
    def short(available: int = 0, requested: int = 1, variant: str = "variant_a") -> Told:
        line = {"variant_id": variant, "requested": requested, "available": available}
        return Told(409, {"code": "insufficient_stock", "lines": [line]})

    def test_an_honest_round_has_none(self) -> None:
        told = self.judged(self.placed(1), self.placed(2), self.short())
        assert (told["errors"], told["violations"]) == (0, [])

    @pytest.mark.parametrize(
        ("answers", "books", "said"),
        [
            ("pps", {"stock": 1}, "1 left of 2 after 2 were sold"),
            ("pps", {"sold": 1}, "the moves say 1 sold, the orders 2"),
            ("pss", {"stock": 1, "sold": 1}, "1 placed, the stock allows 2"),
            ("pss", {"stock": 1, "sold": 1}, "was refused what could be sold"),
            ("ppp", {"stock": 0, "sold": 3}, "3 sold of 2"),
            ("ppe", {}, "was refused without a line"),
            ("pp1", {}, "was told"),
            ("pp2", {}, "was told"),
            ("dds", {}, "two keys were told the same order"),
        ],
    )
    def test_a_lie_is_seen(self, answers: str, books: dict[str, int], said: str) -> None:
        meaning = {
            "s": self.short(),
            "e": Told(409, {"code": "insufficient_stock", "lines": []}),
            "1": self.short(available=1),
            "2": self.short(requested=2, available=1),
            "d": self.placed(1),
        }
        told = self.judged(*[meaning.get(letter) or self.placed(n) for n, letter in enumerate(answers)], **books)
        assert any(said in violation for violation in told["violations"]), told

    @pytest.mark.parametrize("answer", [Told(0, "TimeoutError"), Told(500, {"code": "internal"}), Told(503, None)])
    def test_anything_else_is_an_error(self, answer: Told) -> None:
        assert self.judged(self.placed(1), self.placed(2), answer)["errors"] == 1

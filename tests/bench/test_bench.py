"""The benchmark itself: it runs, its files add up, and it says what was met and what was missed by how much."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bench import server, shop
from bench.report import Row, compared, table, timed
from db.engines.sqlite import open_connection

ROOT = Path(__file__).resolve().parents[2]


def test_a_short_run_measures_and_checks(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    arguments = [
        "--only",
        "a,b,d",
        "--repetitions",
        "1",
        "--requests",
        "32",
        "--json",
        str(told),
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, timeout=170, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "files after the run: consistent" in done.stdout
    found = json.loads(told.read_text())
    assert [row["part"] for row in found["rows"]] == ["a", "a", "a", "b", "b", "b", "d", "d"]
    assert all(row["mean"] > 0 and row["p99"] >= row["p50"] > 0 for row in found["rows"])
    assert [row["target"] for row in found["rows"][3:6]] == [0.45, None, 1.15]
    assert float(found["facts"]["WAL pages per commit"]) > 10
    assert list(tmp_path.glob("tallystick-bench-*")) == []


def test_our_own_client_loads_the_server_where_wrk_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WRK", None)
    path = tmp_path / "shop.db"
    shop.make(path, 10)
    serving = server.Server(path)
    try:
        load = serving.load(4, 1, seed=1)
    finally:
        serving.close()
    assert load.errors == 0
    assert load.rate > 0
    assert load.p99 >= load.p50 > 0
    assert shop.problems(path) == []


def test_a_file_that_does_not_add_up_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shop.make(path, 10)
    assert shop.problems(path) == []
    with closing(open_connection(path)) as connection:
        connection.execute("UPDATE inventory SET stock = stock + 1 WHERE variant_id = ?", (shop.variant(3),))
        connection.execute("DELETE FROM idempotency_keys WHERE rowid = 1")
    found = shop.problems(path)
    assert any("pieces left the stock" in one for one in found)
    assert "10 orders, 9 remembered answers" in found
    assert "invariant 01_stock_equals_the_sum_of_its_moves" in found


@pytest.mark.server
def test_a_checkout_over_a_network_is_two_round_trips() -> None:
    arguments = ["--engines", "libsql", "--repetitions", "1", "--requests", "10", "--delay", "100"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.remote", *arguments], capture_output=True, text=True, timeout=170, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2.00 requests each" in done.stdout
    assert "databases after the run: consistent" in done.stdout
    [ratio] = re.findall(r"libsql: the same, 100 ms a round trip .*? (\d\.\d\d)  \d\.\d\d-", done.stdout)
    assert float(ratio) > 1  # no closer: the machine may be busy with something else


@pytest.mark.parametrize("wrong", [["--requests", "1"], ["--delay", "0"], ["--engines", "what"]])
def test_refuses_wrong_usage_over_a_network(wrong: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "bench.remote", *wrong], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2


@pytest.mark.parametrize("wrong", [["--only", "x"], ["--only", ""], ["--what"]])
def test_refuses_wrong_usage(wrong: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", *wrong], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("ratio", "target", "aim", "at_most", "verdict"),
    [
        (0.5, 0.45, 0.6, False, "met"),
        (0.6, 0.45, 0.6, False, "met, and the aim"),
        (0.4, 0.45, 0.6, False, "missed by 0.05"),
        (1.2, 1.3, None, True, "met"),
        (1.35, 1.3, None, True, "missed by 0.05"),
        (1.0, None, None, False, ""),
    ],
)
def test_says_what_was_met(ratio: float, target: float, aim: float, at_most: bool, verdict: str) -> None:
    row = compared(Row("b", "handler"), [ratio, ratio + 1, ratio - 1], target, aim=aim, at_most=at_most)
    assert row.verdict() == verdict
    assert (row.low, row.high) == (ratio - 1, ratio + 1)


def test_a_row_tells_microseconds_and_the_range_of_its_repetitions() -> None:
    row = timed("a", "bare", [[1_000.0] * 99 + [9_000.0], [3_000.0] * 100])
    assert row.mean == pytest.approx(2.04)
    assert (row.p50, row.p99) == (3.0, 3.0)
    assert row.repetitions == [pytest.approx(1.08), 3.0]
    assert "1-3" in table([row])

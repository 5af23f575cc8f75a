"""The benchmark of the invariants: it makes a shop, asks all of them, and says what was met."""

import pytest

from bench import invariants, shop
from db.invariants import Finding, read


def test_a_small_shop_is_measured_and_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert invariants.main(["--orders", "20", "--repetitions", "2", "--slowest", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[3].startswith(f"{len(read()) - 3} others ")
    assert lines[4].startswith(f"{len(read())} in all ")
    assert lines[4].endswith(" s  ≤ 5.0 s  met")
    assert lines[-1] == "shop after the run: consistent"


def test_a_broken_shop_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fill = shop._fill

    def short(connection: object, file: str, numbers: int) -> None:
        fill(connection, file, numbers)
        if file == "orders.sql":
            connection.execute("UPDATE inventory SET stock = stock - 1")  # type: ignore[attr-defined]

    monkeypatch.setattr(shop, "_fill", short)
    assert invariants.main(["--orders", "1", "--repetitions", "1"]) == 1
    assert capsys.readouterr().out.endswith("WRONG: 01_stock_equals_the_sum_of_its_moves\n")


def test_the_quickest_run_counts_and_a_missed_target_is_told() -> None:
    runs = [
        [Finding("a", "", (), 5.0), Finding("b", "", (), 0.5)],
        [Finding("a", "", (), 4.75), Finding("b", "", (), 0.75)],
    ]
    assert invariants.least(runs) == {"a": 4.75, "b": 0.5}
    assert invariants.table(invariants.least(runs), 1).splitlines()[-2:] == [
        f"{'2 in all':<55}   5.250 s  ≤ 5.0 s  missed by 0.250 s",
        f"{'the slowest':<55}   4.750 s  ≤ 1.0 s  missed by 3.750 s",
    ]

"""What `tally prove` prints for a person."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import prove
from cli.common import Failure
from proof.memory import Verdict
from proof.plan import plan
from proof.run import State, Wish


def state(*lost: str, plant: str | None = None) -> State:
    made = State(Wish("sqlite", 60, 7, plant))
    made.counts.update(waves=3, acted=1234, acknowledged=500, refused=7, deaths=2, faults=9)
    made.verdict = Verdict(list(lost), [], [])
    return made


def test_a_good_run_is_a_table_and_a_sentence() -> None:
    lines = prove._lines(state().told())
    assert lines[0].startswith("a file, 3 waves in 0 s, seed 7, plan ")
    assert lines[1].split() == list(prove.COLUMNS)
    assert lines[2].split() == ["1,234", "500", "7", "2", "9", "0", "0", "0"]
    assert lines[3:] == ["Nothing is lost, nothing double, nothing violated."]


def test_a_bad_run_names_what_and_how_to_see_it_again() -> None:
    bad = state("order one was acknowledged", plant="forget_the_key")
    bad.found_after, bad.kept = 1.5, "/somewhere"
    lines = prove._lines(bad.told())
    assert lines[2].split()[-3:] == ["1", "0", "0"]
    assert lines[3] == "- order one was acknowledged"
    assert "Again: tally prove --engine sqlite --seed 7 --plant forget_the_key" in lines[4]
    assert "/somewhere" in lines[5]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    shown, now = prove.Shown(), state()
    now.wave = next(plan(7, 3))
    assert shown.due()
    shown.tell(now)
    assert not shown.due()
    assert now.wave.name in terminal.getvalue()
    assert "acknowledged 500" in terminal.getvalue()
    shown.end()
    assert terminal.getvalue().endswith("\x1b[K")


def test_elsewhere_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", said := io.StringIO())
    shown = prove.Shown()
    assert not shown.due()
    shown.end()
    assert said.getvalue() == ""


def test_plants_are_for_a_checkout_only(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="checkout") as refused:
        prove._refuse_plant("check_then_write", "sqlite", tmp_path)
    assert refused.value.code == 2


def test_minutes_are_a_span(tmp_path: Path) -> None:
    good: dict[str, Any] = {text: prove.minutes(text) for text in ("0.1", "1", "1440")}
    assert good == {"0.1": 0.1, "1": 1.0, "1440": 1440.0}
    for wrong in ("0", "-1", "1441", "inf", "nan", "x"):
        with pytest.raises(ValueError):
            prove.minutes(wrong)

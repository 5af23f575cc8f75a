"""The short form of `make faults`, and that the suite says what it should of what it finds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proof.memory import Verdict
from tests.faults import suite
from tests.faults.ground import Cannot, Row

ROOT = Path(__file__).resolve().parents[2]
ON_A_FILE = [name for name, fault in suite.FAULTS.items() if fault.short and name != "frozen"]


def short_form(*names: str) -> list[Any]:
    """The rows; a fault that this machine cannot do has none, and a sentence instead."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.suite", "--short", "--json", "--only", *names],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for name in names:
        assert name in {row["name"] for row in rows} or f"NOT DONE HERE: {name}, because " in done.stderr
    return rows


def look(rows: list[Any]) -> None:
    for row in rows:
        wrong = row["lost"] + row["double"] + row["violated"]
        assert (wrong > 0) == row["planted"], row
        assert row["injected"] > 0 and row["acknowledged"] > 0, row


@pytest.mark.file_engine
def test_the_short_form_on_a_file() -> None:
    rows = short_form(*ON_A_FILE)
    look(rows)
    assert {row["name"] for row in rows if row["planted"]} == {"delivery", "failpoints"}


@pytest.mark.server
@pytest.mark.file_engine
def test_the_short_form_on_servers() -> None:
    rows = short_form("frozen")
    look(rows)
    assert [row["fault"].rpartition(" ")[2] for row in rows] == ["libsql", "d1"]


def ran(monkeypatch: pytest.MonkeyPatch, work: Callable[[Any], Any]) -> int:
    monkeypatch.setitem(sys.modules, "tests.faults.made_up", SimpleNamespace(run=work))
    return suite.run({"made_up": suite.Fault("made_up", short=True)}, short=True, tell=suite._table)


def row(*, planted: bool = False, injected: int = 3, acknowledged: int = 3, lost: int = 0, double: int = 0) -> Row:
    return Row("made up", injected, acknowledged, Verdict(["gone"] * lost, ["twice"] * double, []), planted=planted)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (row(), 0),
        (row(lost=1), 1),
        (row(double=1), 1),
        (row(injected=0), 1),
        (row(acknowledged=0), 1),
        (row(planted=True, lost=1), 0),
        (row(planted=True), 1),
    ],
)
def test_the_exit_code_says_whether_all_is_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Row, code: int
) -> None:
    assert ran(monkeypatch, lambda _: iter([found, row()])) == code
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == ["fault", "injected", "acknowledged", "lost", "double", "violated", "seconds"]
    counts = [found.injected, found.acknowledged, len(found.verdict.lost), len(found.verdict.double), 0, 0]
    assert told[1].split()[2:8] == [*map(str, counts)]
    assert ("WRONG" in told[1] or "NOT FOUND" in told[1]) == (code == 1)


def test_what_cannot_be_done_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def cannot(_: Any) -> Any:
        raise Cannot("there is no strace: `apt-get install strace`")

    assert ran(monkeypatch, cannot) == 0
    said = capsys.readouterr().err
    assert said == "NOT DONE HERE: made_up, because there is no strace: `apt-get install strace`\n"


def test_a_fault_that_fails_is_no_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def failing(_: Any) -> Any:
        raise RuntimeError("a child failed by itself")

    assert ran(monkeypatch, failing) == 1
    said = capsys.readouterr().err
    assert "FAILED: made_up" in said and "a child failed by itself" in said


def test_an_unknown_fault_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        suite.main(["--only", "earthquake"])
    assert ended.value.code == 2
    assert "earthquake" in capsys.readouterr().err

"""Writers on libSQL, half of them refused, none of whom waits: as our servers are started, and docs/engines.md says."""

import json

import pytest

from tests.faults import engine_writers

pytestmark = pytest.mark.server


def test_no_writer_waits_for_ever_for_a_lock_that_was_given_to_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """Who does meets a time-out, which is an error. How long the longest waited is for `engine_writers.py` to judge."""
    engine_writers.main(["--seconds", "4"])
    told = json.loads(capsys.readouterr().out)
    assert told["errors"] == {}
    assert told["refused"] > 5
    assert told["found"] == told["kept"] > 5


def test_a_writer_that_waits_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(engine_writers, "PATIENCE_SECONDS", 0.0)
    assert engine_writers.main(["--seconds", "0.2", "--writers", "1"]) == 1

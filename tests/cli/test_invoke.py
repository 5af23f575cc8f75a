"""`tally invoke`: one handler, one event, in a process of its own, as the cloud would."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli import derive
from cli.common import Failure
from cli.invoke import ROOT, Context, find, require_request
from tests.cli.terminal import Terminal
from tools.runtime.events import event


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "health.json"
    path.write_text(json.dumps(event("GET", "/health")))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "record_events",
        "analytics.record_events",
        "analytics/record_events",
        "analytics/record_events.py",
        "./functions/analytics/record_events.py",
        "functions/analytics/record_events.py",
        "functions.analytics.record_events",
        "functions.analytics.record_events.handler",
        "functions/analytics/record_events.handler",
        str(ROOT / "analytics" / "record_events.py"),
    ],
)
def test_finds_a_function_by_any_of_its_names(name: str) -> None:
    assert find(name) == "functions.analytics.record_events"


def test_an_unknown_function_is_told_with_its_likes() -> None:
    with pytest.raises(Failure, match="no one function 'chekout'; did you mean: checkout") as caught:
        find("chekout")
    assert caught.value.code == 2
    with pytest.raises(Failure) as caught:
        find("zzzzzz")
    assert str(caught.value) == "there is no one function 'zzzzzz'; `tally routes` lists them all"


def test_the_context_is_the_clouds() -> None:
    context = Context("checkout")
    assert 0 < context.get_remaining_time_in_millis() <= 30_000
    assert context.invoked_function_arn.endswith(":function:checkout")
    assert (context.log_group_name, context.log_stream_name) == ("/aws/lambda/checkout", "local")


def test_invokes_with_a_file_and_from_standard_input(terminal: Terminal, asked: Path) -> None:
    terminal.tally("migrate", "up")
    for done in (
        terminal.tally("invoke", "health", asked),
        terminal.tally("invoke", "health", "-", stdin=asked.read_text()),
    ):
        assert done.code == 0, done.err
        assert done.json["statusCode"] == 200
        assert json.loads(done.json["body"])["status"] == "ok"
    done = terminal.tally("invoke", "health", asked, "--body")
    assert done.json["foreign_keys"] is True


def test_an_answer_of_400_or_more_is_1(terminal: Terminal, asked: Path) -> None:
    terminal.tally("migrate", "up")
    asked.write_text(json.dumps(event("GET", "/orders")))
    done = terminal.tally("invoke", "functions/orders/list_orders.py", asked)
    assert (done.code, done.json["statusCode"]) == (1, 401)


def test_keeps_a_secret_key_for_development_only(terminal: Terminal, asked: Path) -> None:
    terminal.tally("migrate", "up")
    done = terminal.tally("invoke", "health", asked, STAGE="production")
    assert done.code == 1
    assert "SECRET_KEY" in done.err
    kept = terminal.folder / ".tallystick" / "secret_key"
    assert not kept.exists()
    terminal.tally("invoke", "health", asked)
    key = kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(key.strip()) == 64
    terminal.tally("invoke", "health", asked)
    assert kept.read_text() == key
    kept.write_text("")
    assert "is empty" in terminal.tally("invoke", "health", asked).err


def test_wrong_events_are_told(terminal: Terminal, asked: Path) -> None:
    terminal.tally("migrate", "up")
    for text, words in (("{", "not JSON"), ("[]", "an event is a JSON object"), ("\udcff", "not JSON")):
        asked.write_bytes(text.encode(errors="surrogateescape"))
        done = terminal.tally("invoke", "health", asked)
        assert done.code == 2
        assert words in done.err
    done = terminal.tally("invoke", "health", terminal.folder / "nowhere.json")
    assert done.code == 1
    assert "nowhere.json" in done.err
    assert terminal.tally("invoke", "nowhere", asked).code == 2


REST = {
    "resource": "/checkout",
    "path": "/checkout",
    "httpMethod": "POST",
    "headers": {},
    "requestContext": {"identity": {"sourceIp": "192.0.2.1"}},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        REST,
        {**REST, "version": "1.0"},
        {"version": "2.0"},
        {"version": "2.0", "requestContext": {}},
        {"version": "2.0", "requestContext": {"http": {"method": "POST", "path": "/checkout"}}},
        {**event("GET", "/health"), "headers": ["host"]},
        {**event("GET", "/health"), "body": {}},
    ],
)
def test_an_endpoint_refuses_what_is_no_request(wrong: dict[str, Any]) -> None:
    with pytest.raises(Failure, match=r"an API Gateway HTTP API, payload format 2\.0") as caught:
        require_request("e.json", wrong)
    assert caught.value.code == 2 and str(caught.value).startswith("e.json: ")


def test_an_empty_event_is_told(terminal: Terminal) -> None:
    terminal.tally("migrate", "up")
    done = terminal.tally("invoke", "checkout", "-", stdin="{}")
    assert (done.code, done.out) == (2, "")
    assert "payload format 2.0" in done.err


@pytest.mark.parametrize("name", [one.name for one in derive.jobs()])
def test_a_job_does_now_what_its_schedule_does(terminal: Terminal, name: str) -> None:
    terminal.tally("migrate", "up")
    done = terminal.tally("invoke", name, "-", stdin="{}")
    assert done.code == 0, done.err
    assert (done.json["job"], done.json["finished"], done.json["failed"]) == (name, True, 0)

"""A case for every function, and an answer that is otherwise is noticed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cli import derive
from tools.engines.process import ROOT
from tools.runtime import template
from tools.runtime.cases_of_all import CASES, DUE, EVERY
from tools.runtime.events import Ask, Case, Due, Unexpected, accepted, refused, sent, worked
from tools.runtime.proof import ELSEWHERE, PARAMETERS

CASE = Case("view", (), 201, Ask("GET", "/x"), (404, "not_found"))
JOB = Due("sweep", "", {"swept": 2})


def test_every_function_has_its_case() -> None:
    named = [one.function for one in EVERY]
    assert sorted(named) == sorted(module.rpartition(".")[2] for module in derive.modules())
    assert {one.name for one in derive.jobs()} == {one.function for one in DUE}


def test_every_case_refuses_with_a_code_of_its_endpoint() -> None:
    everywhere = {"unauthenticated", "forbidden", "not_found", "invalid", "stale_version", "precondition_required"}
    declared = {one.name: {*one.errors, *everywhere} for one in derive.endpoints()}
    statuses = {one.name: one.status for one in derive.endpoints()}
    assert [one.function for one in CASES if one.refused[1] not in declared[one.function]] == []
    assert [one.function for one in CASES if one.status != statuses[one.function]] == []


def test_a_request_is_filled_in() -> None:
    ask = Ask("POST", "/orders/{order}/pay?x={n}", {"amount": "{n}", "by": ["{name}!"]}, {"if-match": "{n}"})
    event = sent(ask, {"order": "o1", "n": 7, "name": "Eleni"})
    assert (event["rawPath"], event["rawQueryString"]) == ("/orders/o1/pay", "x=7")
    assert json.loads(event["body"]) == {"amount": 7, "by": ["Eleni!"]}
    assert event["headers"] == {"host": "shop.example", "content-type": "application/json", "if-match": "7"}
    with pytest.raises(KeyError, match="n"):
        sent(ask, {})


def answer(status: int, body: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": kind}, "body": json.dumps(body)}


def test_what_a_good_answer_leaves_is_kept() -> None:
    ask = Ask("GET", "/x", keep={"second": "variants/1/id"})
    body = {"variants": [{"id": "a"}, {"id": "b"}]}
    assert accepted(answer(201, body), CASE, ask) == {"second": "b"}
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    assert accepted({"statusCode": 201, "body": encoded, "isBase64Encoded": True}, CASE, ask) == {"second": "b"}


@pytest.mark.parametrize("wrong", [answer(200, {}), answer(503, {"code": "busy"}), None, {"statusCode": 204}])
def test_another_answer_is_not_accepted(wrong: Any) -> None:
    with pytest.raises(Unexpected):
        accepted(wrong, CASE, Ask("GET", "/x"))


def test_a_204_has_no_body() -> None:
    gone = CASE._replace(status=204)
    assert accepted({"statusCode": 204}, gone, Ask("DELETE", "/x")) == {}
    with pytest.raises(Unexpected, match="with a body"):
        accepted(answer(204, {}), gone, Ask("DELETE", "/x"))


PROBLEM = "application/problem+json"


def test_a_refusal_is_the_problem_that_is_named() -> None:
    refused(answer(404, {"code": "not_found"}, PROBLEM), CASE)


@pytest.mark.parametrize(
    "wrong",
    [
        answer(404, {"code": "cart_not_found"}, PROBLEM), answer(422, {"code": "not_found"}, PROBLEM),
        answer(404, {"code": "not_found"}), answer(200, {}),
    ],
)  # fmt: skip
def test_another_refusal_is_none(wrong: Any) -> None:
    with pytest.raises(Unexpected, match="not_found"):
        refused(wrong, CASE)


DONE = {"swept": 2, "failed": 0, "finished": True}


def test_a_job_works_once_and_has_nothing_to_do_again() -> None:
    worked(DONE, JOB)
    worked({**DONE, "swept": 5}, JOB)
    worked({**DONE, "swept": 0}, JOB, again=True)
    worked(DONE, JOB._replace(looks=True), again=True)


@pytest.mark.parametrize(
    ("wrong", "again"),
    [
        ({**DONE, "swept": 1}, False), ({**DONE, "failed": 1}, False), ({**DONE, "finished": False}, False),
        ({"failed": 0, "finished": True}, False), (None, False), (DONE, True), (None, True),
    ],
)  # fmt: skip
def test_a_job_that_did_otherwise_is_noticed(wrong: Any, again: bool) -> None:
    with pytest.raises(Unexpected, match="sweep"):
        worked(wrong, JOB, again=again)


SECRETS = {
    **{"DATABASE_URL": "libsql://db.example/shop", "DATABASE_TOKEN": "token", "SECRET_KEY": "key"},
    **ELSEWHERE,
}


def test_a_function_gets_the_environment_of_the_template() -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    found = template.functions(text, SECRETS, {**PARAMETERS, "DefaultCurrency": "TRY"})
    assert found.keys() == {one.function for one in EVERY}
    checkout, job = found["checkout"], found["expire_carts"]
    assert (checkout.handler, checkout.runtime) == ("functions.checkout.handler", "python3.13")
    assert (checkout.seconds, job.seconds, checkout.megabytes) == (20, 60, 1024)
    assert SECRETS.items() <= checkout.environment.items()
    assert (checkout.environment["STAGE"], checkout.environment["DEFAULT_CURRENCY"]) == ("production", "TRY")
    assert checkout.environment["DATABASE_REPLICA_URL"] == ""
    assert all("{" not in value for one in found.values() for value in one.environment.values())
    with pytest.raises(KeyError, match="DATABASE_TOKEN"):
        template.functions(text, {name: "x" for name in SECRETS if name != "DATABASE_TOKEN"}, PARAMETERS)

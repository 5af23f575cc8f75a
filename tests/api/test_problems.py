"""Problems: languages by weight, sentences with facts, and the members that every client may rely on."""

import json
import re
from typing import Any

import pytest

from api.problems import CODES, LANGUAGES, RETRY_AFTER_SECONDS, Problem, invalid, messages, sentence, speak
from tests.shop import Shop

ACCEPTED = [
    ("", "en"), ("el", "el"), ("EL-gr", "el"), ("tr-TR", "tr"), ("ne-NP", "ne"), ("de", "en"), ("*", "en"),
    ("de, el;q=0.1", "el"), ("en, el", "en"), ("el, en", "el"), ("en;q=0.5, el;q=0.9", "el"),
    ("el;q=0.3,tr;q=0.8,ne;q=0.7", "tr"), ("el;q=0, tr;q=0.001", "tr"), ("el;q=0", "en"),
    ("el ; q=0.4 , ne;q=0.5", "ne"),
    ("el;q=x, tr;q=0.2", "tr"), ("el;level=1", "el"), (";;;,,,", "en"), ("q=1", "en"), ("elx", "en"), ("e\x00l", "en"),
    ("el;Q=0.2, tr;q=0.5", "tr"), ("el; q = 0.2, tr;q=0.5", "tr"), ("en-GB;q=0.9, el;q=1.0", "el"),
    ("el;q=2, tr", "tr"), ("el;q=-1, tr;q=0.1", "tr"), ("el;q=nan, tr;q=0.1", "tr"), ("el;q=inf, tr;q=0.1", "tr"),
    ("x," * 5_000 + "el", "en"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "language"), ACCEPTED)
def test_speaks_the_language_with_most_weight(header: str, language: str) -> None:
    assert speak(header) == language


def test_detail_follows_the_language_and_nothing_else_does(shop: Shop) -> None:
    told = {}
    for language in LANGUAGES:
        reply = shop.get("/products/none", headers={"accept-language": language})
        told[language] = reply.body.pop("detail")
        assert reply.body == {
            "type": "https://tallystick.dev/problems/not-found", "title": "Not found", "status": 404,
            "code": "not_found", "instance": "/products/none",
        }  # fmt: skip
    assert len(set(told.values())) == len(LANGUAGES)
    assert re.search("[\u0370-\u03ff]", told["el"]) and re.search("[\u0900-\u097f]", told["ne"])


def test_errors_are_told_in_the_language_too(shop: Shop) -> None:
    told = {
        shop.post("/checkout", {"colour": 1}, idempotency_key="k", headers={"accept-language": language}).body[
            "errors"
        ][0]["detail"]
        for language in LANGUAGES
    }
    assert len(told) == len(LANGUAGES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_makes_a_problem_in_every_language(code: str) -> None:
    for language in LANGUAGES:
        body = json.loads(Problem(code).body("/x", language))
        assert list(body) == ["type", "title", "status", "code", "detail", "instance"]
        assert body["status"] == CODES[code][0]
        assert body["type"].rpartition("/")[2] == code.replace("_", "-")
        assert body["detail"] == messages(language)[code]


def test_facts_become_members_and_fill_the_sentence() -> None:
    facts: dict[str, Any] = {"from": "PAID", "to": "PENDING"}
    problem = Problem("illegal_transition", **facts)
    body = json.loads(problem.body("/x", "en"))
    assert (body["from"], body["to"]) == ("PAID", "PENDING")
    assert body["detail"] == "The order cannot go from PAID to PENDING."


def test_a_fact_is_no_template() -> None:
    assert "{to}" in sentence("illegal_transition", "en", {"to": "{to}", "from": "x"})


def test_invalid_input_names_its_place() -> None:
    problem = invalid("/lines/0/quantity", "less_than_equal", le=10_000)
    assert problem.status == 422
    [error] = json.loads(problem.body("/x", "en"))["errors"]
    assert error == {
        "pointer": "/lines/0/quantity", "code": "less_than_equal", "detail": "This must be at most 10000."
    }  # fmt: skip


def test_a_code_of_the_validator_that_nobody_foresaw_has_a_sentence() -> None:
    [error] = json.loads(invalid("/x", "brand_new").body("/x", "tr"))["errors"]
    assert (error["code"], error["detail"]) == ("brand_new", messages("tr")["invalid.other"])


def test_what_can_be_tried_again_says_when() -> None:
    assert {code for code, (status, _) in CODES.items() if status == 503} == set(RETRY_AFTER_SECONDS)

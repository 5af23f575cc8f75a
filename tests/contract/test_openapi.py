"""openapi.json: valid, whole, and true to what the endpoints declare."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.auth import PERSON, PUBLIC
from api.endpoint import Endpoint
from api.openapi import codes_of, document
from api.openapi_parts import MEMBERS
from api.problems import CODES, Problem
from cli import derive
from tests.contract.tree import ROOT, python_files, tree_of

DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
BASE = {"type", "title", "status", "code", "detail", "instance"}
# Members of a problem that stand in a guard's JSON are checked by the tests of the endpoint; those in Python here.
ENDPOINTS = {one.name: one for one in derive.endpoints()}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    found: Any = DOCUMENT
    if "$ref" not in value:
        return value
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def codes_at(operation: dict[str, Any], status: int) -> list[str]:
    schema = resolved(operation["responses"][str(status)])["content"]["application/problem+json"]["schema"]
    codes: list[str] = schema["allOf"][1]["properties"]["code"]["enum"]
    return codes


def test_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_holds_every_endpoint_once() -> None:
    found = {operation["operationId"]: (method, path) for method, path, operation in operations()}
    assert found == {one.name: (one.method, one.path) for one in ENDPOINTS.values()}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_operation_is_whole(name: str) -> None:
    one = ENDPOINTS[name]
    operation = DOCUMENT["paths"][one.path][one.method.lower()]
    assert operation["summary"].endswith(".")
    assert str(one.status) in operation["responses"]
    statuses = {int(status) for status in operation["responses"]} - {one.status}
    assert {status: codes_at(operation, status) for status in sorted(statuses)} == by_status(one)
    for status, response in operation["responses"].items():
        assert resolved(response)["description"]
        assert {"X-Request-Id", "Server-Timing"} <= resolved(response)["headers"].keys(), status
    parameters = [resolved(parameter) for parameter in operation["parameters"]]
    assert [one_in["name"] for one_in in parameters if one_in["in"] == "path"] == list(one.path_names)
    assert {one_in["name"] for one_in in parameters if one_in["in"] == "query"} == set(one.query_names)
    assert "null" not in json.dumps([one_in["schema"] for one_in in parameters])
    assert ("requestBody" in operation) == one.reads_body
    assert ({} in operation["security"]) == (one.permission == PUBLIC)


def test_every_tag_is_told_once() -> None:
    used = {tag for _, _, operation in operations() for tag in operation["tags"]}
    told = [tag["name"] for tag in DOCUMENT["tags"]]
    assert sorted(told) == sorted(used) and all(tag["description"] for tag in DOCUMENT["tags"])


@pytest.mark.parametrize("name", ENDPOINTS)
def test_says_who_may_show_what(name: str) -> None:
    """A person's own is for no API key; a cookie needs the CSRF token beside it wherever something is written."""
    one = ENDPOINTS[name]
    security = DOCUMENT["paths"][one.path][one.method.lower()]["security"]
    assert {"accessToken": []} in security
    assert ({"apiKey": []} in security) == (one.permission != PERSON)
    cookies = [way for way in security if "accessCookie" in way]
    assert cookies == [{"accessCookie": []} if one.method == "GET" else {"accessCookie": [], "csrfToken": []}]


def test_every_link_of_the_reference_leads_somewhere() -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md")}
    lost = []
    for name, text in pages.items():
        for page, anchor in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", text):
            there = pages.get(page or name, "")
            if f"# {anchor}\n" not in there and f'<a id="{anchor}">' not in there:
                lost.append(f"{name}: {page}#{anchor}")
    assert lost == []


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_body_is_what_the_shape_has_left(name: str) -> None:
    one = ENDPOINTS[name]
    if not one.reads_body:
        return
    body = DOCUMENT["paths"][one.path][one.method.lower()]["requestBody"]
    schema = resolved(body["content"]["application/json"]["schema"])
    elsewhere = {*one.path_names, *one.query_names}
    assert schema["properties"].keys() == one.request.model_fields.keys() - elsewhere
    assert schema["additionalProperties"] is False
    assert body["required"] == bool(schema.get("required"))


def by_status(one: Endpoint) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for code in codes_of(one):
        found.setdefault(CODES[code][0], []).append(code)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_declared_error_is_told(name: str) -> None:
    one = ENDPOINTS[name]
    told = {code for codes in by_status(one).values() for code in codes}
    assert set(one.errors) <= told <= CODES.keys()


def test_every_fact_of_a_refusal_is_a_named_member() -> None:
    """A keyword of `Refusal("code", name=…)` or `Problem("code", name=…)` becomes a member of the problem."""
    wrong = []
    for path in python_files("api", "domain", "functions"):
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            code = node.args[0]
            if node.func.id in ("Refusal", "Problem") and isinstance(code, ast.Constant):
                facts = {keyword.arg for keyword in node.keywords if keyword.arg}
                if isinstance(code.value, str) and (unknown := facts - MEMBERS.get(code.value, {}).keys()):
                    wrong.append(f"{path}:{node.lineno} {code.value}: {sorted(unknown)}")
    assert wrong == []


def test_a_problem_has_the_members_that_its_schema_requires() -> None:
    body = json.loads(Problem("price_changed", total=5).body("/checkout", "tr"))
    assert set(DOCUMENT["components"]["schemas"]["Problem"]["required"]) == BASE
    assert body.keys() == {*BASE, "total"}


def test_the_order_of_the_endpoints_does_not_matter() -> None:
    found = derive.endpoints()
    assert document(found, "1") == document(reversed(found), "1")
    assert json.dumps(document(found, "1")) == json.dumps(document(reversed(found), "1"))


def test_every_component_is_used() -> None:
    text = json.dumps(DOCUMENT)
    unused = [
        f"{kind}/{name}"
        for kind, members in DOCUMENT["components"].items()
        for name in members
        if kind != "securitySchemes" and f'"#/components/{kind}/{name}"' not in text
    ]
    assert unused == []

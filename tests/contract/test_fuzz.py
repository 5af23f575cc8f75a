"""The running server against openapi.json: no 5xx, no status, header or shape that the document does not tell.

*Goal*: the contract is true. *Method*: `tally serve` as a process of its own on a seeded file; for each operation a
bounded number of requests made from the document, some of them with ids that exist and with an administrator's key.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from db.engines.sqlite import open_connection
from tests.contract.tree import ROOT

EXAMPLES = 25
SECONDS_MAX = 20
KEY = "sk_fuzz-0123456789abcdef0123456789abcdef0123456789"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA: Any = schemathesis.openapi.from_dict(json.loads((ROOT / "openapi.json").read_text(encoding="utf-8")))
# What ends things comes last.
OPERATIONS = sorted(
    (result.ok() for result in SCHEMA.get_all_operations()),
    key=lambda one: one.method.upper() == "DELETE" or one.path.endswith("/cancel"),
)
_ID = re.compile(r"([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}")


class Server:
    """The shop that is fuzzed: its address, and ids that exist in it by prefix."""

    def __init__(self, url: str, ids: dict[str, list[str]]) -> None:
        self.url, self.ids = url, ids

    def known(self, name: str, value: str, choose: int) -> str:
        """An id that exists in the place of one that was made up; `name` is the parameter's."""
        matched = _ID.fullmatch(value)
        ids = self.ids.get(matched[1] if matched else name, [])
        return ids[choose % len(ids)] if ids else value

    def lead(self, case: Any, choose: int) -> None:
        """Past the first refusals: ids that exist, mostly any version, one of two ways to say what is bought."""
        case.path_parameters = {
            name: self.known(name, str(value), choose) for name, value in case.path_parameters.items()
        }
        case.body = self.filled(case.body, choose)
        if "If-Match" in (case.headers or {}) and choose % 3:
            case.headers["If-Match"] = "*"
        if case.headers and choose % 4:
            case.headers.pop("X-Cart-Token", None)
        if isinstance(case.body, dict) and "shipping_address" in case.body:
            for name in ("cart_id", "coupon_code", "expected_total"):
                case.body.pop(name, None)
            case.body["lines"] = case.body.get("lines") or [_item(self.known("variant", "", choose))]

    def filled(self, value: Any, choose: int) -> Any:
        """A body with known ids in the place of those that were made up."""
        if isinstance(value, dict):
            return {key: self.filled(member, choose + 1) for key, member in value.items()}
        if isinstance(value, list):
            return [self.filled(member, choose + place) for place, member in enumerate(value)]
        return self.known("", value, choose) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = tmp_path_factory.mktemp("fuzz") / "shop.db"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}", "LOG_LEVEL": "error", "STAGE": "test"}
    tally = [sys.executable, "-m", "cli.main"]
    for command in (["migrate", "up"], ["seed", "demo"]):
        subprocess.run([*tally, *command], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    ids = _prepared(path)
    process = subprocess.Popen(
        [*tally, "serve", "--port", "0", "--no-jobs"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        url = re.findall(r"http://\S+", process.stdout.readline())[0]
        ids |= _bought(url, ids["variant"])
        yield Server(url, ids)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0
        process.stdout.close()


def _prepared(path: Path) -> dict[str, list[str]]:
    """An administrator's key in the file, and the ids that the seed made."""
    from api.auth import hash_of

    raw = open_connection(path)
    now = "2026-11-21T08:00:00.000Z"
    raw.execute(
        "INSERT INTO api_keys (id, name, prefix, hash, scopes, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ("apikey_00000000000000000000000001", "fuzz", KEY[:10], hash_of(KEY), '["*"]', now, now),
    )
    tables = {"product": "products", "variant": "variants", "category": "categories", "collection": "collections"}
    ids = {
        name: [row[0] for row in raw.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 20")]
        for name, table in {**tables, "producer": "producers"}.items()
    }
    raw.close()
    return ids


def _bought(url: str, variants: list[str]) -> dict[str, list[str]]:
    """Some orders and a cart, made through the server itself."""
    person = {"name": "Eleni", "phone": "+306912345678"}
    address = {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563", "country": "GR"}
    orders = []
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}, timeout=SECONDS_MAX) as client:
        for number, variant in enumerate(variants[:8]):
            body = {
                "lines": [_item(variant)], "customer": person, "shipping_address": address,
            }  # fmt: skip
            reply = client.post("/checkout", json=body, headers={"Idempotency-Key": f"fuzz-{number}"})
            if reply.status_code == 201:
                orders.append(reply.json()["id"])
        made = [client.post("/carts", json={"items": [_item(one)]}).json() for one in variants[:8]]
    assert orders, "nothing in the seed can be bought"
    return {"order": orders, "cart": [one["id"] for one in made], "item": [one["items"][0]["id"] for one in made]}


def _item(variant: str) -> dict[str, Any]:
    return {"variant_id": variant, "quantity": 1}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.definition.raw["operationId"])
def test_the_server_does_what_the_document_says(operation: Any, server: Server) -> None:
    @given(
        case=st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        ),
        choose=st.integers(0, 19),
        known=st.sampled_from([True, True, False]),
        allowed=st.sampled_from([True, True, True, True, False]),
    )
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, choose: int, known: bool, allowed: bool) -> None:
        if known:
            server.lead(case, choose)
        if allowed:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {KEY}"}
        case.call_and_validate(base_url=server.url, checks=CHECKS, timeout=SECONDS_MAX)

    ask()


def test_a_document_that_is_not_true_is_found(server: Server) -> None:
    lies = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    lies["components"]["schemas"]["Health"]["properties"]["engine"] = {"const": "abacus"}
    del lies["paths"]["/products"]["get"]["responses"]["422"]
    schema: Any = schemathesis.openapi.from_dict(lies)
    with pytest.raises(FailureGroup, match="abacus"):
        schema["/health"]["GET"].Case().call_and_validate(base_url=server.url, checks=CHECKS, timeout=SECONDS_MAX)
    case = schema["/products"]["GET"].Case(query={"limit": 0})
    with pytest.raises(FailureGroup, match="Received: 422"):
        case.call_and_validate(base_url=server.url, checks=CHECKS, timeout=SECONDS_MAX)


def test_every_operation_is_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in SCHEMA.raw_schema["paths"].values())

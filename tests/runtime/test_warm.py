"""Our own functions in Lambda's runtime client, on a real libSQL server: one client, and a network that forgets."""

from __future__ import annotations

import re

import pytest

from tests.runtime.conftest import Running
from tools.runtime import proof
from tools.runtime.events import Unexpected


def test_one_process_needs_one_connection(libsql: Running) -> None:
    assert "6 checkouts of one process over 1 connection" in proof.warm(libsql.sandbox, libsql.functions, libsql.shop)


def test_the_rows_that_are_billed_are_counted(libsql: Running) -> None:
    told = proof.counted(libsql.sandbox, libsql.functions, libsql.shop)
    found = re.search(r"list_products (\d+) and 0, view_product (\d+) and 0, checkout (\d+) and (\d+)$", told)
    assert found is not None and all(int(count) > 0 for count in found.groups())


def test_a_frozen_function_whose_connection_was_reset_answers_in_the_same_request(libsql: Running) -> None:
    told = proof.cut(libsql.sandbox, libsql.functions, libsql.shop)
    assert told == "frozen, cut and thawed: list_products, record_events, checkout answered in the same request"


def test_a_frozen_function_whose_connection_was_forgotten_writes_over_another(libsql: Running) -> None:
    told = proof.silent(libsql.sandbox, libsql.functions, libsql.shop)
    found = re.search(r"answered in (\d+) ms", told)
    assert found is not None and int(found[1]) < 5_000


def test_more_connections_than_one_are_noticed(libsql: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def cutting(box: object, made: proof.Shop, key: str) -> float:
        made.proxy.cut()
        return proof.recorded(box, made, key)  # type: ignore[arg-type]

    monkeypatch.setattr(proof, "placed", cutting)
    functions = {**libsql.functions, "checkout": libsql.functions["record_events"]}
    with pytest.raises(Unexpected, match="opened 6 connections"):
        proof.warm(libsql.sandbox, functions, libsql.shop)


def test_a_function_with_a_wrong_token_does_not_pass(libsql: Running) -> None:
    functions = libsql.functions
    wrong = {**functions["list_products"].environment, "DATABASE_TOKEN": "wrong"}
    functions = {**functions, "list_products": functions["list_products"]._replace(environment=wrong)}
    with pytest.raises(Unexpected, match=r"list_products: GET /products: 200 expected, got .*503"):
        proof.cut(libsql.sandbox, functions, libsql.shop)

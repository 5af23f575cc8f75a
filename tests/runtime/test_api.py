"""The Runtime API, asked as a runtime asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest

from tools.runtime.api import PREFIX, RuntimeApi


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    made = RuntimeApi()
    yield made
    made.close()


def ask(api: RuntimeApi, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    connection = HTTPConnection(api.address, timeout=30)
    try:
        connection.request(method, path, body, headers, encode_chunked="transfer_encoding" in headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read())
    finally:
        connection.close()


def test_an_event_waits_for_the_runtime_and_its_answer_is_told(api: RuntimeApi) -> None:
    name = api.hand_out({"asked": "Ελλάδα"}, "checkout", 20)
    status, headers, event = ask(api, "GET", f"{PREFIX}/invocation/next")
    assert (status, event) == (200, {"asked": "Ελλάδα"})
    assert headers["Lambda-Runtime-Aws-Request-Id"] == name
    assert headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(":function:checkout")
    assert int(headers["Lambda-Runtime-Deadline-Ms"]) > 1_700_000_000_000
    assert headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
    assert ask(api, "POST", f"{PREFIX}/invocation/{name}/response", b'{"statusCode": 200}')[0] == 202
    ready, told = api.told.get(timeout=30), api.told.get(timeout=30)
    assert ready.kind == "ready"
    assert (told.kind, told.invocation, told.value) == ("response", name, {"statusCode": 200})


@pytest.mark.parametrize(
    ("path", "kind", "invocation"),
    [("/invocation/one/error", "error", "one"), ("/init/error", "init_error", "")],
)
def test_what_went_wrong_is_told(api: RuntimeApi, path: str, kind: str, invocation: str) -> None:
    assert ask(api, "POST", PREFIX + path, b'{"errorMessage": "no"}')[0] == 202
    told = api.told.get(timeout=30)
    assert (told.kind, told.invocation, told.value) == (kind, invocation, {"errorMessage": "no"})


def test_an_answer_may_come_in_chunks_and_must_be_json(api: RuntimeApi) -> None:
    chunks = iter([b'{"statusCode"', b": 201}"])
    headers = {"Transfer-Encoding": "chunked"}
    connection = HTTPConnection(api.address, timeout=30)
    connection.request("POST", f"{PREFIX}/invocation/one/response", chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 202
    connection.close()
    assert api.told.get(timeout=30).value == {"statusCode": 201}
    ask(api, "POST", f"{PREFIX}/invocation/one/response", b"<html>")
    told = api.told.get(timeout=30)
    assert (told.kind, told.value["errorMessage"]) == ("error", "<html>")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2018-06-01/runtime/next"), ("POST", "/2018-06-01/runtime/invocation/one/lost"),
        ("POST", "/2018-06-01/runtime/invocation/one"), ("POST", "/one/response"),
    ],
)  # fmt: skip
def test_there_is_nothing_else(api: RuntimeApi, method: str, path: str) -> None:
    assert ask(api, method, path, b"{}" if method == "POST" else None)[0] == 404
    assert api.told.empty()


def test_closing_ends_the_wait_for_an_event() -> None:
    api = RuntimeApi()
    failed = []

    def wait() -> None:
        try:
            ask(api, "GET", f"{PREFIX}/invocation/next")
        except (HTTPException, OSError) as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert api.told.get(timeout=30).kind == "ready"
    api.close()
    waiting.join(30)
    assert len(failed) == 1 and not waiting.is_alive()

"""The Lambda Runtime API, for one sandbox: hands out events, takes answers.

The four calls that AWS documents for custom runtimes (version 2018-06-01), over HTTP on loopback:
`GET /runtime/invocation/next` waits for an event, `POST /runtime/invocation/<id>/response` and `/error` answer it, and
`POST /runtime/init/error` says that the function did not start.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal, NamedTuple

PREFIX: Final = "/2018-06-01/runtime"

Kind = Literal["ready", "response", "error", "init_error"]


class Told(NamedTuple):
    """What a runtime said. `at` is the monotonic clock's time; `value` the JSON of an answer, or why there is none."""

    kind: Kind
    at: float
    invocation: str = ""
    value: Any = None


class Invocation(NamedTuple):
    id: str
    event: bytes
    headers: dict[str, str]


class RuntimeApi:
    """Listens on a free port of loopback from the start; `close` ends it and every wait for an event."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        """What the runtime says, in order: "ready" each time it asks for an event."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API is set to."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def hand_out(self, event: Any, function: str, seconds: float) -> str:
        """Give `event` to whoever asks next; its invocation's id. `seconds` are left to answer it."""
        name = str(uuid.uuid4())
        headers = {
            "Lambda-Runtime-Aws-Request-Id": name,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
            "Lambda-Runtime-Trace-Id": f"Root=1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        self._events.put(Invocation(name, json.dumps(event).encode(), headers))
        return name

    def next(self) -> Invocation | None:
        """The next event, waited for; None when there will be none."""
        return self._events.get()

    def close(self) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet about a runtime that was ended while it waited; anything else is a defect of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's acknowledgement

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            return self._answer(404, b"{}")
        api = self.server.api
        api.told.put(Told("ready", time.monotonic()))
        invocation = api.next()
        if invocation is None:
            self.close_connection = True
            return None
        return self._answer(200, invocation.event, invocation.headers)

    def do_POST(self) -> None:
        at = time.monotonic()
        body = self._body()
        kind, invocation = _meant(self.path)
        if kind is None:
            return self._answer(404, b"{}")
        try:
            value = json.loads(body)
        except ValueError:
            kind, value = "error", {"errorType": "Runtime.NotJson", "errorMessage": body[:400].decode(errors="replace")}
        self.server.api.told.put(Told(kind, at, invocation, value))
        return self._answer(202, b'{"status":"OK"}')

    def _body(self) -> bytes:
        """The body, whether its length was told or it comes in chunks, as the runtime client sends it."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return found

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: what a runtime asks is no news."""


def _meant(path: str) -> tuple[Kind | None, str]:
    """What a POST to `path` says, and of which invocation."""
    if path == f"{PREFIX}/init/error":
        return "init_error", ""
    parts = path.removeprefix(f"{PREFIX}/invocation/").split("/")
    if not path.startswith(f"{PREFIX}/invocation/") or len(parts) != 2:
        return None, ""
    if parts[1] == "response":
        return "response", parts[0]
    return ("error", parts[0]) if parts[1] == "error" else (None, "")

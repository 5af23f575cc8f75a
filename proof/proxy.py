"""A proxy on loopback in front of a server or an engine: it counts, it waits, and it breaks what it is told to.

HTTP/1.1, whole messages: a request is read to its end, then passed on, and so is its answer. One thread for each
connection. `with Proxy(url) as proxy:` gives `proxy.url`, which is the same database through the proxy.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit, urlunsplit

Kind = Literal["drop_answer", "swallow_answer", "cut", "cut_answer", "black_hole", "drip", "delay", "twice"]
END_SECONDS: Final = 10.0
RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER that makes a close a reset."""


class Fault(NamedTuple):
    """What happens to requests: `kind`, to `times` of them (None: all), of those alone that `when` is true of.

    - drop_answer: the engine does it, and the connection is reset instead of the answer.
    - swallow_answer: the engine does it, and the client waits for ever.
    - cut: the connection is reset, and the engine never hears of it.
    - cut_answer: the engine does it, and the connection is reset in the middle of the answer.
    - black_hole: the engine never hears of it, and the client waits for ever.
    - drip: the answer comes a byte at a time, one each `seconds`.
    - delay: the answer comes `seconds` later.
    - twice: the engine gets the request twice at once, and the client one of the answers.
    """

    kind: Kind
    times: int | None = None
    when: Callable[[Message], bool] | None = None
    seconds: float = 0.05


class Message(NamedTuple):
    """A request or an answer: its first line and headers, its body without chunks, and all of it as it was sent."""

    head: bytes
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, None for none."""
        for line in self.head.split(b"\r\n")[1:]:
            found, _, value = line.partition(b":")
            if found.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


class Proxy:
    """See the module. `delay_request` and `delay_answer` are seconds that each request and each answer waits.

    `connections` counts what clients opened, `faults` what happened to requests; `requests` and `answers` are what went
    through, in order, unless it shall not `remember` them.
    """

    def __init__(self, url: str, *, remember: bool = True) -> None:
        self._remember = remember
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{self._listening.getsockname()[1]}"))
        self.delay_request = self.delay_answer = 0.0
        self.connections = self.faults = 0
        self.requests: list[Message] = []
        self.answers: list[Message] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._open: set[socket.socket] = set()
        self._lost: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """End all connections and threads."""
        self._closed.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(END_SECONDS)
            assert not thread.is_alive(), "a thread of the proxy does not end"

    def fault(
        self,
        kind: Kind,
        times: int | None = None,
        when: Callable[[Message], bool] | None = None,
        seconds: float = 0.05,
    ) -> None:
        """Add a fault; the first that fits a request happens to it."""
        with self._lock:
            self._faults.append(Fault(kind, times, when, seconds))

    def heal(self) -> None:
        """No more faults or delays. What waits for ever goes on waiting: `cut` it."""
        with self._lock:
            self._faults.clear()
            self.delay_request = self.delay_answer = 0.0

    def cut(self) -> None:
        """Reset every connection that is open now."""
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    self._lost.add(one)
                    one.shutdown(socket.SHUT_RD)

    def forget(self) -> None:
        """Begin to count from nothing."""
        with self._lock:
            self.connections = 0
            self.requests.clear()
            self.answers.clear()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True, name="proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            self._threads = [one for one in self._threads if one.is_alive()]
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            with self._lock:
                self._open.add(client)
            try:
                with socket.create_connection(self._target, 5) as server:
                    server.settimeout(None)
                    for one in (client, server):
                        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._carry(client, server)
            finally:
                with self._lock:
                    self._open.discard(client)
                    self._lost.discard(client)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """One exchange after the other. Raises EOFError and OSError when either side has ended."""
        asking, answering = _Reader(client), _Reader(server, client)
        while not self._closed.is_set():
            ready, _, _ = select.select([client, server], [], [])
            if server in ready:
                raise EOFError  # an engine says nothing unasked: it has ended the connection
            request = asking.message()
            with self._lock:
                if self._remember:
                    self.requests.append(request)
                fault = self._fault_of(request)
                self.faults += fault is not None
            self._wait(self.delay_request)
            if fault is not None and fault.kind == "cut":
                return _reset(client)
            if fault is not None and fault.kind == "black_hole":
                return self._hold(client)
            if fault is not None and fault.kind == "twice":
                self._start(self._again, request)
            server.sendall(request.raw)
            answer = answering.message()
            if self._remember:
                with self._lock:
                    self.answers.append(answer)
            self._wait(self.delay_answer)
            if client in self._lost:
                return _reset(client)
            if fault is None or fault.kind in ("delay", "twice"):
                self._wait(fault.seconds if fault is not None and fault.kind == "delay" else 0)
                client.sendall(answer.raw)
            elif not self._break(fault, client, answer):
                return None
        return None

    def _again(self, request: Message) -> None:
        """Send it on a connection of its own, and hear the answer, which nobody gets."""
        with suppress(OSError, EOFError), socket.create_connection(self._target, 5) as server:
            server.settimeout(END_SECONDS / 2)
            server.sendall(request.raw)
            _Reader(server).message()

    def _fault_of(self, request: Message) -> Fault | None:
        for place, one in enumerate(self._faults):
            if one.times == 0 or (one.when is not None and not one.when(request)):
                continue
            if one.times is not None:
                self._faults[place] = one._replace(times=one.times - 1)
            return one
        return None

    def _break(self, fault: Fault, client: socket.socket, answer: Message) -> bool:
        """Do the fault to the answer. Whether the connection lives on."""
        if fault.kind == "drip":
            for byte in answer.raw:
                client.sendall(bytes([byte]))
                self._wait(fault.seconds)
            return True
        if fault.kind == "swallow_answer":
            self._hold(client)
            return False
        if fault.kind == "cut_answer":
            client.sendall(answer.raw[: len(answer.raw) - max(1, len(answer.body) // 2)])
            self._wait(0.02)  # a reset would overtake what was just sent
        _reset(client)
        return False

    def _hold(self, client: socket.socket) -> None:
        """Say nothing until the client has gone."""
        while not self._closed.is_set() and client not in self._lost and client.recv(65_536):
            pass

    def _wait(self, seconds: float) -> None:
        if seconds and self._closed.wait(seconds):
            raise EOFError


class _Reader:
    """The messages that come out of a socket. With `until_gone`, no longer than that one is there."""

    def __init__(self, source: socket.socket, until_gone: socket.socket | None = None) -> None:
        self._source, self._until_gone = source, until_gone
        self._left = bytearray()

    def message(self) -> Message:
        """The next one, whole. Raises EOFError if the other side ends before."""
        head = self._until(b"\r\n\r\n")
        bare = Message(head, b"", head)
        if "chunked" in (bare.header("transfer-encoding") or ""):
            raw, body = self._chunks()
        else:
            raw = body = self._exactly(int(bare.header("content-length") or 0))
        return Message(head, body, head + raw)

    def _chunks(self) -> tuple[bytes, bytes]:
        raw, body = bytearray(), bytearray()
        while True:
            line = self._until(b"\r\n")
            size = int(line.split(b";")[0], 16)
            chunk = self._exactly(size + 2)
            raw += line + chunk
            body += chunk[:-2]
            if size == 0:
                return bytes(raw), bytes(body)

    def _until(self, mark: bytes) -> bytes:
        while (place := self._left.find(mark)) < 0:
            self._fill()
        return self._taken(place + len(mark))

    def _exactly(self, size: int) -> bytes:
        while len(self._left) < size:
            self._fill()
        return self._taken(size)

    def _taken(self, size: int) -> bytes:
        found = bytes(self._left[:size])
        del self._left[:size]
        return found

    def _fill(self) -> None:
        if self._until_gone is not None:
            ready, _, _ = select.select([self._source, self._until_gone], [], [])
            if self._source not in ready:
                raise EOFError
        found = self._source.recv(262_144)
        if not found:
            raise EOFError
        self._left += found


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()

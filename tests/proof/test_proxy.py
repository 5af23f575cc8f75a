"""The proxy breaks what it says, counts what went through, and ends. What is behind it here is a server of our own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from proof.proxy import Kind, Proxy


class Echo(BaseHTTPRequestHandler):
    """Answers what it was sent, in chunks if the path says so."""

    protocol_version = "HTTP/1.1"
    heard: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(body)
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("transfer-encoding", "chunked")
            parts = [body[at : at + 7_001] for at in range(0, len(body), 7_001)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
        else:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def heard() -> Iterator[list[bytes]]:
    Echo.heard = []
    yield Echo.heard


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[Proxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    before = threading.active_count()
    with Proxy(f"http://127.0.0.1:{server.server_port}/path?x=1") as proxy:
        yield proxy
    server.shutdown()
    server.server_close()
    thread.join()
    assert not [one for one in threading.enumerate() if one.name == "proxy"], before


@pytest.mark.parametrize("path", ["", "chunked"])
def test_messages_pass_as_they_are_and_are_counted(proxy: Proxy, heard: list[bytes], path: str) -> None:
    assert proxy.url.endswith("/path?x=1")
    url = proxy.url.replace("path?x=1", path)
    with httpx.Client() as client:
        for body in (b"one", b"", b"x" * 300_000):
            assert client.post(url, content=body).content == body
    assert proxy.connections == 1
    assert heard == [message.body for message in proxy.requests] == [message.body for message in proxy.answers]
    assert {message.header("Content-Length") for message in proxy.requests} == {"0", "3", "300000"}
    proxy.forget()
    assert (proxy.connections, proxy.requests, proxy.answers) == (0, [], [])


def test_each_message_waits_as_long_as_it_is_told(proxy: Proxy) -> None:
    proxy.delay_request, proxy.delay_answer = 0.05, 0.1
    with httpx.Client() as client:
        began = time.monotonic()
        client.post(proxy.url, content=b"x" * 300_000)
        client.post(proxy.url, content=b"two")
        assert time.monotonic() - began >= 0.3
        proxy.heal()
        assert (proxy.delay_request, proxy.delay_answer) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "raised", "is_heard"),
    [
        ("drop_answer", httpx.ReadError, True),
        ("swallow_answer", httpx.ReadTimeout, True),
        ("cut", httpx.ReadError, False),
        ("cut_answer", httpx.ReadError, True),
        ("black_hole", httpx.ReadTimeout, False),
    ],
)
def test_a_fault_happens_as_often_as_it_is_told_to_those_it_is_meant_for(
    proxy: Proxy, heard: list[bytes], kind: Kind, raised: type[Exception], is_heard: bool
) -> None:
    proxy.fault(kind, 1, lambda message: message.body == b"bad")
    with httpx.Client(timeout=0.3) as client:
        assert client.post(proxy.url, content=b"good").content == b"good"
        with pytest.raises(raised):
            client.post(proxy.url, content=b"bad")
        assert heard == [b"good", b"bad"][: 1 + is_heard]
        assert client.post(proxy.url, content=b"bad").content == b"bad"


def test_an_answer_that_drips_is_whole_at_the_end(proxy: Proxy) -> None:
    proxy.fault("drip", seconds=0.002)
    with httpx.Client() as client:
        began = time.monotonic()
        assert client.post(proxy.url, content=b"slow").content == b"slow"
        assert time.monotonic() - began > 0.1


def test_a_cut_ends_what_waits(proxy: Proxy) -> None:
    with httpx.Client(timeout=30) as client:
        proxy.fault("black_hole", 1)
        threading.Timer(0.1, proxy.cut).start()
        with pytest.raises(httpx.ReadError):
            client.post(proxy.url, content=b"one")
        assert client.post(proxy.url, content=b"two").content == b"two"
    assert proxy.connections == 2


def test_a_cut_ends_what_is_idle(proxy: Proxy) -> None:
    with httpx.Client(timeout=30) as client:
        client.post(proxy.url, content=b"one")
        proxy.cut()
        with suppress(httpx.TransportError):  # unless the client has noticed
            client.post(proxy.url, content=b"two")
        assert client.post(proxy.url, content=b"three").content == b"three"
    assert proxy.connections == 2


def test_an_answer_that_is_late_comes_whole(proxy: Proxy) -> None:
    proxy.fault("delay", times=1, seconds=0.3)
    with httpx.Client() as client:
        began = time.monotonic()
        assert client.post(proxy.url, content=b"late").content == b"late"
        assert time.monotonic() - began >= 0.3
        assert client.post(proxy.url, content=b"next").content == b"next"
    assert (proxy.faults, proxy.connections) == (1, 1)


def test_a_request_that_comes_twice_is_answered_once(proxy: Proxy, heard: list[bytes]) -> None:
    proxy.fault("twice", times=1)
    with httpx.Client() as client:
        assert client.post(proxy.url, content=b"again").content == b"again"
        assert client.post(proxy.url, content=b"once").content == b"once"
    patience = time.monotonic() + 30
    while len(heard) < 3 and time.monotonic() < patience:
        time.sleep(0.01)
    assert sorted(heard) == [b"again", b"again", b"once"]


def test_it_need_not_remember(heard: list[bytes]) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with Proxy(f"http://127.0.0.1:{server.server_port}/", remember=False) as proxy:
        assert httpx.post(proxy.url, content=b"one").content == b"one"
        assert (proxy.requests, proxy.answers, heard) == ([], [], [b"one"])
    server.shutdown()
    server.server_close()
    thread.join()

"""The proxy between a function and its database: it counts, cuts, and forgets."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tools.engines.process import free_port
from tools.runtime.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything twice."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection = listening.accept()[0]
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(1024):
                connection.sendall(data * 2)

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(echo)
    yield made
    made.close()


def connected(proxy: Proxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
    assert said(client, b"a") == b"aa"
    return client


def said(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(1024)


def test_it_carries_both_ways_and_counts(proxy: Proxy) -> None:
    with connected(proxy) as one, connected(proxy) as other:
        assert (said(one, b"b"), said(other, b"c")) == (b"bb", b"cc")
        assert (proxy.connections, proxy.open) == (2, 2)


def test_a_cut_connection_is_reset_and_a_new_one_works(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            said(client, b"b")
    with connected(proxy) as again:
        assert said(again, b"c") == b"cc"
    assert proxy.connections == 2


def test_a_cut_connection_is_known_to_be_reset_when_the_cut_is_done(proxy: Proxy) -> None:
    """Otherwise what is sent right after it may meet the old connection, and its outcome is unknown."""
    unaware = 0
    for _ in range(200):
        with connected(proxy) as client:
            assert proxy.cut() == 1
            unaware += not select.select([client], [], [], 0)[0]
    assert unaware == 0


def test_a_forgotten_connection_hears_nothing_and_a_new_one_works(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert (proxy.forget(), proxy.cut()) == (1, 0)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said(client, b"b")
    with connected(proxy) as again:
        assert said(again, b"c") == b"cc"


def test_without_a_server_nobody_is_let_in() -> None:
    proxy = Proxy(free_port())
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert client.recv(1) == b""
        assert proxy.connections == 0
    finally:
        proxy.close()

"""A deadline for a whole request: httpx limits each read of a socket alone, and an answer may come drop by drop."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpcore
import httpx

SLICE_BYTES: Final = 65_536
_thread = threading.local()


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """What this thread sends and reads meanwhile ends by then, or in a ReadTimeout or WriteTimeout."""
    _thread.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        del _thread.deadline


def transport(**options: Any) -> httpx.HTTPTransport:
    """An HTTP transport that keeps `ends_within`. httpx has no public way to give its pool a network backend."""
    made = httpx.HTTPTransport(**options)
    made._pool._network_backend = _Backend()
    return made


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    deadline: float | None = getattr(_thread, "deadline", None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("no whole answer in time")
    return left if timeout is None else min(left, timeout)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Slice by slice: the socket counts each of them anew.
        for start in range(0, len(buffer), SLICE_BYTES):
            self._stream.write(buffer[start : start + SLICE_BYTES], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

"""A TCP proxy that counts connections and cuts them: the network between a function and its database."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Final

RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends RST, as a middlebox does that has forgotten the connection."""
LET_GO_SECONDS: Final = 5.0
"""A thread that writes to somebody who does not read is not waited for any longer."""

Pair = tuple[socket.socket, socket.socket]
"""Of one connection: the client's side, and the server's."""


class Proxy:
    """Listens on a free port of loopback and forwards to `port` there."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lock = threading.Lock()
        self._pairs: dict[Pair, list[threading.Thread]] = {}
        """Those that are open, each with the threads that carry it."""
        self._forgotten: set[Pair] = set()
        self.connections = 0
        """Accepted since the start."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def open(self) -> int:
        with self._lock:
            return len(self._pairs)

    def cut(self) -> int:
        """Reset every connection, and return when each end knows; how many there were."""
        pairs = self._taken()
        for pair in pairs:
            for one in pair:
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    one.shutdown(socket.SHUT_RD)  # the thread that reads it lets go
        for pair, carriers in pairs.items():
            for carrier in carriers:
                carrier.join(LET_GO_SECONDS)  # while it reads, closing sends nothing
            for one in pair:
                one.close()
        return len(pairs)

    def forget(self) -> int:
        """Drop every connection without a word: what its client sends from now on reaches nobody. How many."""
        pairs = self._taken()
        self._forgotten |= pairs.keys()
        for _, server in pairs:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for pair in self._forgotten:
            for one in pair:
                one.close()

    def _taken(self) -> dict[Pair, list[threading.Thread]]:
        with self._lock:
            pairs, self._pairs = self._pairs, {}
        return pairs

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pair = (client, server)
                ways = ((client, server, pair), (server, client, pair))
                carriers = [threading.Thread(target=self._carry, args=way, daemon=True) for way in ways]
                with self._lock:
                    self.connections += 1
                    self._pairs[pair] = carriers
                    for carrier in carriers:
                        carrier.start()

    def _carry(self, source: socket.socket, sink: socket.socket, pair: Pair) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with self._lock:
            if pair not in self._pairs:
                return
            del self._pairs[pair]
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

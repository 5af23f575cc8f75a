"""workerd with the gateway Worker and empty D1 databases, through miniflare."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from tools.engines.process import Process, answers, free_port, node

SCRIPT: Final = Path(__file__).with_name("d1.mjs")


class D1Server:
    """The databases `names`, kept in `folder`. `token` is what the gateway asks for."""

    def __init__(self, folder: Path, *names: str, token: str | None = None) -> None:
        # Miniflare's own folder, too, goes with `folder`: it is left behind by a process that was killed.
        temporary = folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        self._data = folder / "data"
        self.token = token or secrets.token_hex(16)
        self._port = free_port()
        self.process = Process(
            [node(), str(SCRIPT), str(self._port), str(self._data), *names],
            folder / "workerd.log",
            lambda: answers(f"http://127.0.0.1:{self._port}/"),
            {"GATEWAY_TOKEN": self.token, "TMPDIR": str(temporary)},
        )

    def start(self) -> D1Server:
        self.process.start()
        return self

    def stop(self) -> None:
        self.process.stop()

    def file_of(self, name: str) -> Path:
        """The file that workerd keeps the database in, or will: miniflare names it after the database.

        The name of a Durable Object of this key, as workerd derives it: a keyed hash of the name, and one of that.
        """
        key = hashlib.sha256(b"miniflare-D1DatabaseObject").digest()
        first = hmac.digest(key, name.encode(), "sha256")[:16]
        second = hmac.digest(key, first, "sha256")[:16]
        folder = self._data / "miniflare-D1DatabaseObject"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{(first + second).hex()}.sqlite"

    def url(self, name: str) -> str:
        return f"d1://127.0.0.1:{self._port}/{name}?tls=0"

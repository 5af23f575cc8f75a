"""workerd with the gateway Worker and empty D1 databases, through miniflare."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from tools.engines.process import Process, answers, free_port, node

SCRIPT: Final = Path(__file__).with_name("d1.mjs")


class D1Server:
    """The databases `names`, kept in `folder`. `token` is what the gateway asks for."""

    def __init__(self, folder: Path, *names: str, token: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.names = names
        self.token = token or secrets.token_hex(16)
        self._port = free_port()
        self.process = Process(
            [node(), str(SCRIPT), str(self._port), str(folder / "data"), *names],
            folder / "workerd.log",
            lambda: answers(f"http://127.0.0.1:{self._port}/"),
            {"GATEWAY_TOKEN": self.token},
        )

    def start(self) -> D1Server:
        self.process.start()
        return self

    def stop(self) -> None:
        self.process.stop()

    def url(self, name: str) -> str:
        return f"d1://127.0.0.1:{self._port}/{name}?tls=0"

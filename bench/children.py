"""The parent's side of bench/candidate.py, and the environment that every measured process gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

# glibc gives a small process's heap back at every transaction, which costs as much as a small transaction does.
# Compiled files are kept, as a deployment has them.
ENVIRONMENT: Final = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_TOP_PAD_": "16777216",
    "MALLOC_MMAP_THRESHOLD_": "268435456",
    "SECRET_KEY": "0123456789abcdef" * 4,
    "STAGE": "production",
    "BCRYPT_COST": "12",
    "LOG_LEVEL": "error",
}
ROOT: Final = Path(__file__).resolve().parent.parent


class Child:
    """A candidate that waits in a process of its own, on a file of its own, until it is asked to run.

    The kind `remote` takes the URL of a database instead, and `token` for it.
    """

    def __init__(self, kind: str, path: Path | str, token: str = "") -> None:
        self.kind, self.path = kind, Path(path)
        arguments = [sys.executable, "-m", "bench.candidate", kind, str(path)]
        environment = {**ENVIRONMENT, "DATABASE_TOKEN": token}
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        if self._line() != "ready":
            raise RuntimeError(f"the candidate {kind} did not start")

    def run(self, count: int) -> list[float]:
        """The nanoseconds that each of `count` requests took."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        took: list[float] = json.loads(self._line())
        return took

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the candidate {self.kind} ended with {self._process.wait()}")
        return line.strip()

    def close(self) -> None:
        """Send it home; whoever does not go is ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

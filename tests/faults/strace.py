"""strace, as the faults use it: it holds a process, and spoils or writes down its system calls."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ATTACH_SECONDS: Final = 30.0


class Tracer:
    """strace at a process and its threads, from now on until it ends. Raises RuntimeError if it cannot."""

    def __init__(self, process: int, arguments: Sequence[str]) -> None:
        self._running = subprocess.Popen(
            ["strace", "-f", "-qq", *arguments, "-p", str(process)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        patience = time.monotonic() + ATTACH_SECONDS
        while "TracerPid:\t0\n" in Path(f"/proc/{process}/status").read_text():
            if self._running.poll() is not None or time.monotonic() > patience:
                self.close()
                raise RuntimeError(f"strace does not get hold of a process: {self.said}")
            time.sleep(0.002)

    def close(self) -> None:
        """Wait until it has written everything down; it ends with its process."""
        try:
            self.said = self._running.communicate(timeout=10)[1].decode(errors="replace")[-500:]
        except subprocess.TimeoutExpired:
            self._running.kill()
            self.said = self._running.communicate()[1].decode(errors="replace")[-500:]


def missing() -> str | None:
    """Why strace cannot be used here, None if it can."""
    if shutil.which("strace") is None:
        return "there is no strace: `apt-get install strace`"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO:when=1", "true"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    if done.returncode == 0:
        return None
    return f"strace may not hold processes here, or cannot inject: {done.stderr.strip()[-200:]}"

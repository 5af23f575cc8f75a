"""`make test`: the whole suite on a file, then the functional and race tests on a libSQL server and on D1.

Without Node.js there are no servers: that is said, loudly and at the end, and with REQUIRE_ENGINES=1, as CI has it, it
is a failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tools.engines import EngineError, install, missing
from tools.engines.process import ROOT

ON_A_SERVER: Final = ["tests/functions", "tests/race"]


def main() -> int:
    try:
        install()
    except EngineError as error:
        print(f"test: {error}", file=sys.stderr)
        return 1
    reason = missing()
    if reason and os.environ.get("REQUIRE_ENGINES"):
        print(f"test: the real engines are required here, and {reason}", file=sys.stderr)
        return 1
    if reason:
        code = _pytest("sqlite", ["--cov"]).wait()
        print(_loud(f"LEFT OUT: everything on libSQL and Cloudflare D1, because {reason}"), file=sys.stderr)
        return code
    with tempfile.TemporaryDirectory(prefix="tallystick-test-") as folder:
        return _on_all(Path(folder))


def _on_all(folder: Path) -> int:
    """Two at a time, the servers' one after the other: a test waits for its server half of the time."""
    on_a_file = _pytest("sqlite", ["--cov"])
    told, codes = [], []
    for engine in ("libsql", "d1"):
        began, log = time.monotonic(), folder / f"{engine}.log"
        codes.append(_pytest(engine, ON_A_SERVER, log).wait())
        told.append(f"\n===== ENGINE={engine}, {time.monotonic() - began:.0f} s =====\n{log.read_text()}")
    codes.append(on_a_file.wait())
    print(*told, sep="\n", flush=True)
    return max(codes)


def _pytest(engine: str, arguments: list[str], log: Path | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", *arguments, *sys.argv[1:]]
    environment = {**os.environ, "ENGINE": engine}
    if log is None:
        return subprocess.Popen(command, cwd=ROOT, env=environment)
    with log.open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)


def _loud(text: str) -> str:
    line = "!" * len(text)
    return f"\n{line}\n{text}\n{line}"


if __name__ == "__main__":
    sys.exit(main())

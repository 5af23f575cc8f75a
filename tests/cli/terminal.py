"""A terminal for tests: `tally …` as a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """`folder` is where commands run; what is in the tests' environment about databases and stages is not passed on."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / ".tallystick" / "shop.db"

    def tally(self, *words: str | Path, stdin: str = "", **environment: str) -> Done:
        kept = {name: value for name, value in os.environ.items() if name not in _OURS}
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, words)],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


_OURS = ("DATABASE_URL", "STAGE", "SECRET_KEY", "LOG_LEVEL")

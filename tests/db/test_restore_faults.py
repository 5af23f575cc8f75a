"""A restore that is killed leaves a target that serves nobody, whatever it is asked."""

import json
import subprocess
import sys
from pathlib import Path

from tests.db.backup_support import copied, restored

ROOT = Path(__file__).parent.parent.parent


def test_killed_between_any_two_statements(lively_backup: Path, tmp_path: Path) -> None:
    """Method: see restore_killer.py. The script fails by itself at the first endpoint that answers from half a shop."""
    copied(lively_backup, tmp_path / "shop.zip")
    restored(f"sqlite:///{tmp_path}/whole.db", tmp_path / "shop.zip")
    done = subprocess.run(
        [sys.executable, "-m", "tests.db.restore_killer", str(tmp_path), "200"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["statements"] > 500
    # Before the first batch is kept, between it and the last, and after the last.
    assert told["untouched"] > 2 and told["refusing"] > 8 and told["whole"] >= 1

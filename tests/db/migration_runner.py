"""A script, one of several runners: says `ready`, waits for a line, goes up, prints which versions it applied."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.db.migration_support import up

if __name__ == "__main__":
    path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    report = up(path, folder)
    print(json.dumps([[step.migration.version for step in report.steps], report.version]), flush=True)

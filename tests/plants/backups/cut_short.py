"""A planted defect: a backup whose last third never reached the disk, though the command said it was done.

`tests/faults/backup_drill.py --backup tests.plants.backups.cut_short` finds it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cli.main import main

if __name__ == "__main__":
    code = main()
    path = Path(sys.argv[-1])
    os.truncate(path, path.stat().st_size * 2 // 3)
    sys.exit(code)

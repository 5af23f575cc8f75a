"""Kill a migration that rebuilds orders, between any two statements, forward and back. A script, run by a test.

The first argument is a folder with `filled.db` and `migrations`. Prints a JSON line for each direction.
"""

from __future__ import annotations

import json
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

from db.migrate import Migrations
from tests.db.backup_support import contents
from tests.db.migration_killer import in_child, killed_everywhere
from tests.db.migration_support import down, state, up


def look(path: Path) -> Any:
    return state(path), contents(path)


def main(folder: Path) -> None:
    migrations = folder / "migrations"
    latest = Migrations(migrations).latest
    before, after, back = folder / "filled.db", folder / "after.db", folder / "back.db"
    shutil.copy(before, after)
    in_child(partial(up, after, migrations))
    shutil.copy(after, back)
    in_child(partial(down, back, latest - 1, migrations, lose_data=True))
    print(json.dumps(killed_everywhere(before, after, partial(up, folder=migrations), 1, look)), flush=True)
    way_back = partial(down, to=latest - 1, folder=migrations, lose_data=True)
    print(json.dumps(killed_everywhere(after, back, way_back, 4, look)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

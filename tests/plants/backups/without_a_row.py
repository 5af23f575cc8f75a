"""A planted defect: a backup that leaves out one row, the last remembered answer, with checksums that agree.

The file is whole and every invariant holds in it: `tests/faults/backup_drill.py --backup
tests.plants.backups.without_a_row` finds it all the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cli.main import main
from db.backup_file import Reader, Writer

LESS = "idempotency_keys"


def rewritten(path: Path, less: str = LESS) -> None:
    """The same backup with a row less in the table `less`."""
    target = path.with_suffix(".less")
    with Reader(path) as reader, target.open("xb") as file, Writer(file) as writer:
        for table in reader.manifest.tables:
            rows = list(reader.rows(table))
            with writer.table(table.name, table.columns) as put:
                put(rows[:-1] if table.name == less else rows)
        about = dict(reader.manifest)
        writer.finish(
            **{name: about[name] for name in ("release", "engine", "taken_at", "schema_version", "migrations")}
        )
    target.replace(path)


if __name__ == "__main__":
    code = main()
    rewritten(Path(sys.argv[-1]))
    sys.exit(code)

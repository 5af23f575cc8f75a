"""Migrations under faults, with real processes: killed between any two statements, and two runners at once."""

import json
import subprocess
import sys
from pathlib import Path

from db.migrate import DIRECTORY, Migrations
from tests.db.migration_support import SMALL, schema, up, validate, versions, write

ROOT = Path(__file__).parent.parent.parent


def test_killed_between_any_two_statements(tmp_path: Path) -> None:
    """Method: see migration_killer.py. The script fails by itself at the first half-migrated or stuck file."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.db.migration_killer", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    migrations = Migrations().files.migrations
    assert [(one["version"], one["direction"]) for one in told] == [
        (version, direction) for version in migrations for direction in ("up", "down")
    ]
    for one in told:
        if one["direction"] == "up":
            # Before each statement, its guard, its row, and COMMIT at least; and again after COMMIT.
            assert one["kills"] > len(migrations[one["version"]].statements) + 2
            assert one["as_before"] > 0 and one["as_after"] > 0


def raced(file: Path, folder: Path, runners: int) -> list[list[int]]:
    """Start the runners, let them go at once; the versions that each applied itself."""
    command = [sys.executable, "-m", "tests.db.migration_runner", str(file), str(folder)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(runners)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * runners
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    told = [json.loads(answer) for answer in answers]
    assert {reached for _, reached in told} == {Migrations(folder).latest}
    return [applied for applied, _ in told]


def test_two_runners_at_once_on_a_new_file(tmp_path: Path) -> None:
    """Goal: both end well, each version applied once. Method: ten rounds, two processes, one start signal."""
    expected = tmp_path / "alone.db"
    up(expected)
    for attempt in range(10):
        file = tmp_path / f"{attempt}.db"
        applied = raced(file, DIRECTORY, 2)
        assert sorted(applied[0] + applied[1]) == versions(expected)
        assert schema(file) == schema(expected)
        assert validate(file) == []


def test_four_runners_share_a_long_list(tmp_path: Path) -> None:
    """Goal: nobody gives up while others are at work. Method: 40 small versions, four processes."""
    more = {
        f"{number:04}_more.sql": (f"CREATE TABLE more_{number} (id TEXT) STRICT;\n", f"DROP TABLE more_{number};\n")
        for number in range(4, 41)
    }
    folder = write(tmp_path / "migrations", SMALL | more)
    applied = raced(tmp_path / "shop.db", folder, 4)
    assert sorted(number for one in applied for number in one) == list(range(1, 41))
    assert validate(tmp_path / "shop.db", folder) == []

"""`tally prove`, short: all is well on each engine, every plant is found, wrong usage is told and starts nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import plants

ROOT = Path(__file__).resolve().parents[2]
PLANTS = sorted(path.stem for path in Path(next(iter(plants.__path__))).glob("[a-z]*.py"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of a short name, unlike a test's own: else every server is started without a warm one to fork from."""
    with tempfile.TemporaryDirectory(prefix="p-") as made:
        yield Path(made)


def proved(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, what the JSON says, and standard error. What a failing run keeps, it keeps in `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "prove", "--json", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=150, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.mark.parametrize("engine", ["sqlite", "libsql", "d1"])
def test_nothing_is_lost_double_or_violated(folder: Path, engine: str) -> None:
    code, told, said = proved(folder, "--minutes", "0.1", "--engine", engine, "--seed", "7")
    assert (code, told.get("findings"), said) == (0, [], "")
    assert (told["lost"], told["double"], told["violated"]) == (0, 0, 0)
    assert told["acknowledged"] > 10
    assert told["faults"] > 0
    assert told["waves"] >= 1
    assert list(folder.glob("tallystick-prove-*")) == []


def test_there_are_the_five_plants() -> None:
    named = ["acknowledge_first", "check_then_write", "forget_the_key", "lose_the_group", "without_guards"]
    assert named == PLANTS


@pytest.mark.parametrize("plant", PLANTS)
def test_every_plant_is_found(folder: Path, plant: str) -> None:
    code, told, said = proved(folder, "--minutes", "0.7", "--seed", "1", "--plant", plant)
    assert (code, said) == (1, "")
    assert told["lost"] + told["double"] + told["violated"] > 0
    assert told["findings"]
    assert 0 < told["found_after"] <= told["seconds"]
    assert (Path(told["kept"]) / "shop.db").is_file()


def test_a_long_name_of_the_folder_for_temporary_files_does_no_harm(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    code, told, said = proved(long, "--minutes", "0.05", "--seed", "7")
    assert (code, told.get("findings"), said) == (0, [], "")


@pytest.mark.server
def test_a_plant_is_found_on_a_server(folder: Path) -> None:
    code, told, _ = proved(
        folder, "--minutes", "0.7", "--seed", "1", "--plant", "check_then_write", "--engine", "libsql"
    )
    assert code == 1
    assert told["violated"] > 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--minutes", "0"], "--minutes"),
        (["--minutes", "nan"], "--minutes"),
        (["--engine", "postgres"], "--engine"),
        (["--plant", "nobody"], "check_then_write"),
        (["--plant", "../conftest"], "check_then_write"),
        (["--plant", "lose_the_group", "--engine", "d1"], "only a file"),
        (["--seed", "x"], "--seed"),
    ],
)
def test_wrong_usage_is_told_and_starts_nothing(folder: Path, arguments: list[str], word: str) -> None:
    code, told, said = proved(folder, *arguments)
    assert (code, told) == (2, {})
    assert word in said
    assert list(folder.iterdir()) == []

"""What is derived is fresh, and the command that says so can tell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli import derive, reference
from cli.main import main
from tests.contract.tree import ROOT, lines_of, python_files

COMMAND_LINE_ONLY = {"ADMIN_EMAIL", "ADMIN_PASSWORD", "DATABASE_URL", "SECRET_KEY", "STAGE", "AWS_LAMBDA_RUNTIME_API"}
_ENVIRONMENT = re.compile(r"environ(?:\.get\(|\[|\.setdefault\()\s*\"(\w+)\"")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` puts the database's URL into the environment; set here first, it is put back afterwards."""
    monkeypatch.setenv("DATABASE_URL", "sqlite:///:memory:")


def test_every_derived_file_is_fresh() -> None:
    assert list(derive.drifted()) == [], "run `tally routes --write`"


def test_deriving_twice_gives_the_same_text() -> None:
    again = subprocess.run(
        [sys.executable, "-c", "from cli import derive; print(derive.openapi_text(derive.endpoints()[::-1]), end='')"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == derive.openapi_text(derive.endpoints())


def test_routes_lists_every_endpoint_and_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["METHOD", "PATH", "NAME", "PERMISSION"]
    assert len(lines) == 1 + len(derive.endpoints()) + len(derive.jobs())
    assert any(line.split() == ["POST", "/checkout", "checkout", "public"] for line in lines)


def test_check_names_each_drifted_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _copy(tmp_path)
    monkeypatch.setattr(derive, "ROOT", tmp_path)
    assert main(["routes", "--check"]) == 0, capsys.readouterr().err
    openapi, template = tmp_path / "openapi.json", tmp_path / "template.yaml"
    openapi.write_text(openapi.read_text().replace("listed", "lost", 1) + " ")
    template.write_text(template.read_text().replace("Path: /checkout", "Path: /buy").replace('"/checkout"', '"/buy"'))
    (tmp_path / ".env.example").unlink()
    capsys.readouterr()
    assert main(["routes", "--check"]) == 1
    told = capsys.readouterr().err
    assert {line.split()[1] for line in told.splitlines() if "drifted" in line} == {
        "openapi.json", "template.yaml", ".env.example",
    }  # fmt: skip
    assert main(["routes", "--write"]) == 0
    assert main(["routes", "--check"]) == 0
    assert openapi.read_text() == (ROOT / "openapi.json").read_text()


def test_check_tells_a_defect_of_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _copy(tmp_path)
    monkeypatch.setattr(derive, "ROOT", tmp_path)
    template = tmp_path / "template.yaml"
    template.write_text(template.read_text().replace("python3.13", "python3.7"))
    assert main(["routes", "--check"]) == 1
    assert "Runtime 'python3.7'" in capsys.readouterr().err


def test_the_marks_must_stand_once() -> None:
    template = (ROOT / "template.yaml").read_text()
    with pytest.raises(ValueError, match="must stand there once"):
        derive.with_region(template.replace(derive.END, ""), "")
    with pytest.raises(ValueError, match="must stand there once"):
        derive.with_region(template + derive.BEGIN, "")


def test_logical_ids_differ() -> None:
    names = [derive.logical_id(module.rpartition(".")[2]) for module in derive.modules()]
    assert len(names) == len(set(names))


def test_every_setting_is_documented() -> None:
    known = reference.settings_known()
    assert known.keys() == {*reference.PURPOSES, *reference.COMMAND_LINE}
    read = {
        name
        for path in python_files("api", "cli", "db", "domain", "functions", "providers")
        for line in lines_of(path)
        for name in _ENVIRONMENT.findall(line)
    }
    assert read - known.keys() - COMMAND_LINE_ONLY == set()
    for name, (default, _) in known.items():
        assert f"\n{name}={default}\n" in reference.env_example()


def _copy(folder: Path) -> None:
    """What the derived files stand among: the template's code, and the files themselves."""
    for name in (*derive.derived(), "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("functions", "artifact"):
        (folder / name).symlink_to(ROOT / name)

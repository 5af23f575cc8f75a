"""What `make lambda` needs and says, and what it leaves of an artifact; SAM itself runs in `make lambda`."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path

import pytest

from tests.contract.tree import ROOT, handler_files, imports_of, python_files
from tools.runtime import build, trim
from tools.runtime.build import BuildError


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_version_is_the_template_s() -> None:
    assert build.version_of((ROOT / "template.yaml").read_text(encoding="utf-8")) == "3.13"
    with pytest.raises(BuildError, match=r"template\.yaml"):
        build.version_of("Globals: {}")


def test_an_interpreter_that_runs_is_taken(only: Path) -> None:
    path = program(only, f"python{HERE}", f'exec {sys.executable} "$@"')
    assert build.interpreter(HERE) == path


def test_a_missing_interpreter_is_named_and_another_one_offered(only: Path) -> None:
    with pytest.raises(BuildError, match=r"there is no python3\.99 on PATH: install it, `sam build` needs it\.$"):
        build.interpreter("3.99")
    program(only, f"python{HERE}", f'exec {sys.executable} "$@"')
    with pytest.raises(BuildError, match=rf"build for one that is here: make lambda PYTHON_VERSION={HERE}\."):
        build.interpreter("3.99")


def test_a_name_that_does_not_run_is_told_apart_from_none(only: Path) -> None:
    program(only, "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    with pytest.raises(BuildError, match=r"has that name and does not run: it says 'pyenv: python3\.13: command not"):
        build.interpreter("3.13")
    program(only, "python3.12", "echo 3.10")
    with pytest.raises(BuildError, match=r"it says '3\.10'"):
        build.interpreter("3.12")
    assert build.at_hand() == []


def test_a_tool_that_fails_is_quoted() -> None:
    with pytest.raises(BuildError, match=r"(?s)failed:\n.*no such thing"):
        build.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_this_machine_has_a_name_that_lambda_knows() -> None:
    assert build.processor() in trim.MACHINES


@pytest.fixture
def artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one, and what is needless in it."""
    folder = tmp_path / "artifact"
    for name in ("shop/rules.py", "shop/tests/test_rules.py", "wide/old/one.py", "wide-1.0.dist-info/METADATA"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ANSWER = 42\n", encoding="utf-8")
    (folder / "shop" / "__pycache__").mkdir()
    (folder / "shop" / "__pycache__" / "gone.cpython-39.pyc").write_bytes(b"old")
    monkeypatch.setattr(trim, "NEEDLESS", ("shop/tests", "wide/old/*.py"))
    return folder


def test_what_is_needless_goes_and_the_rest_is_compiled_for_good(artifact: Path) -> None:
    trim.trim(artifact, Path(sys.executable))
    code = importlib.util.cache_from_source("shop/rules.py")
    assert sorted(str(path.relative_to(artifact)) for path in trim.files(artifact)) == [
        code, "shop/rules.py", "wide-1.0.dist-info/METADATA",
    ]  # fmt: skip
    flags = int.from_bytes((artifact / code).read_bytes()[4:8], "little")
    assert flags == 0b01, "the byte code is looked at together with its source"
    assert b"/var/task/shop/rules.py" in (artifact / code).read_bytes()


def test_a_pattern_that_fits_nothing_is_told(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trim, "NEEDLESS", ("shop/tests", "wide/v1"))
    with pytest.raises(BuildError, match="drops wide/v1"):
        trim.drop(artifact)


def test_a_module_that_does_not_compile_is_told(artifact: Path) -> None:
    (artifact / "shop" / "broken.py").write_text("def broken(:\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"broken\.py"):
        trim.compile_all(artifact, Path(sys.executable))


def test_a_library_for_another_processor_is_found(artifact: Path) -> None:
    trim.check_processor(artifact, "arm64")
    library = artifact / "wide" / "core.so"
    library.write_bytes(b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little") + bytes(40))
    trim.check_processor(artifact, "arm64")
    with pytest.raises(BuildError, match=r"wide/core\.so is not for x86_64"):
        trim.check_processor(artifact, "x86_64")


def test_the_archive_holds_every_file(artifact: Path, tmp_path: Path) -> None:
    archive = trim.packed(artifact, tmp_path / "function.zip")
    assert set(zipfile.ZipFile(archive).namelist()) == {
        str(path.relative_to(artifact)) for path in trim.files(artifact)
    }
    assert trim.size(artifact) > 40


def test_what_is_kept_of_ours_is_what_a_handler_may_import() -> None:
    """Late imports included: the proof runs most lines, and this looks at the others."""
    ours = {name_of(path): path for path in python_files("api", "db", "domain", "functions", "providers")}
    dropped = {path.relative_to(ROOT) for pattern in trim.NEEDLESS for path in ROOT.glob(pattern)}
    kept = {name for name, path in ours.items() if not {path, *path.parents} & dropped}
    # These two are imported by the name in DATABASE_URL; the embedded engine is refused in the cloud.
    waiting = [*map(name_of, handler_files()), "db.engines.libsql", "db.engines.d1"]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in ours and name not in reached and name != "db.engines.sqlite":
            reached.add(name)
            for _, imported in imports_of(ours[name]):
                waiting += [imported, imported.rpartition(".")[0]]
    inits = {name for name, path in ours.items() if path.name == "__init__.py"}
    assert reached - kept == set(), "needed and dropped"
    assert kept - reached - inits == set(), "kept and needed by no handler: a line for tools/runtime/trim.py"


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")

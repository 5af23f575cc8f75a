"""Builds the functions with the AWS SAM CLI, without Docker: once to ship, once to be run here.

Everything stays in `.lambda/` but for what is shipped: `.aws-sam/build`, where `sam deploy` looks for it.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tools.engines.process import ROOT

FOLDER: Final = ROOT / ".lambda"
SHIPPED: Final = ROOT / ".aws-sam" / "build"
SAM_CLI: Final = "aws-sam-cli==1.170.0"
RUNTIME_CLIENT: Final = "awslambdaric"
"""Its version stands in constraints.txt: the tests use it, too."""
SAM_SETTINGS: Final = {
    "SAM_CLI_TELEMETRY": "0",
    # One folder for all functions, as they are one artifact; else it is copied for each of them.
    "SAM_CLI_BETA_BUILD_PERFORMANCE": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
_RUNTIME: Final = re.compile(r"^(    Runtime: )python3\.\d+$", re.M)
_ARCHITECTURES: Final = re.compile(r"^(    Architectures: )\[\w+\]$", re.M)


class BuildError(RuntimeError):
    """Something is missing here, or a tool failed; the text says what to do."""


class Built(NamedTuple):
    """A built artifact: its folder, the template that names it, and the processor that it is for."""

    folder: Path
    template: Path
    processor: str


def version_of(template: str) -> str:
    """The Python version of the template's runtime, as 3.13. Raises BuildError."""
    found = re.search(r"^    Runtime: python(3\.\d+)$", template, re.M)
    if found is None:
        raise BuildError("template.yaml: Globals.Function.Runtime is not written as python3.N")
    return found[1]


def interpreter(version: str) -> Path:
    """The interpreter of that version on PATH. Raises BuildError with a sentence for each way to be without."""
    name = f"python{version}"
    others = ", ".join(f"make lambda PYTHON_VERSION={one}" for one in at_hand() if one != version)
    instead = f" Or build for one that is here: {others}." if others else ""
    found = shutil.which(name)
    if found is None:
        raise BuildError(
            f"The functions run on {name}, and there is no {name} on PATH: install it, `sam build` needs it.{instead}"
        )
    told = said(found, "import sys; print('%d.%d' % sys.version_info[:2])")
    if told != version:
        raise BuildError(
            f"The functions run on {name}. {found} has that name and does not run: it says {told!r}. A version manager "
            f"needs to be told (pyenv: PYENV_VERSION=…), or install {name}.{instead}"
        )
    if said(found, "import ensurepip, venv") != "":
        raise BuildError(f"{found} cannot make virtual environments: on Debian and Ubuntu, install {name}-venv.")
    return Path(found)


def at_hand() -> list[str]:
    """The versions that Lambda has and that run here."""
    versions = [f"3.{minor}" for minor in range(11, 15)]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    return [one for one in versions if (path := shutil.which(f"python{one}")) and said(path, ask) == one]


def said(python: str, code: str) -> str:
    """What `python -c code` prints, or else the last line of what it complains of."""
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return (lines or [f"exit code {done.returncode}" if done.returncode else ""])[0 if done.returncode else -1]


def processor() -> str:
    """This machine's, as Lambda calls it. Raises BuildError for another."""
    name = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    if name is None:
        raise BuildError(f"Lambda has no {platform.machine()}: build on x86_64 or arm64.")
    return name


def environment(folder: Path, python: Path, *requirements: str) -> Path:
    """A virtual environment with `requirements`, made anew when these or the interpreter change; its `bin`."""
    stamp, wanted = (
        folder / "installed",
        "\n".join((said(str(python), "import sys; print(sys.version)"), *requirements)),
    )
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Installing {' '.join(requirements)} into {folder.relative_to(ROOT)}", flush=True)
        run([str(python), "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        run([str(folder / "bin" / "python"), *install])
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def sam() -> Path:
    """The SAM CLI in an environment of its own: it pins much that others use."""
    return environment(FOLDER / "sam", Path(sys.executable), SAM_CLI) / "sam"


def runtime(version: str) -> Path:
    """The folder with the runtime's interpreter, the runtime client beside it."""
    pinned = re.search(rf"^{RUNTIME_CLIENT}==\S+$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
    if pinned is None:
        raise BuildError(f"constraints.txt does not pin {RUNTIME_CLIENT}")
    return environment(FOLDER / f"python{version}", interpreter(version), pinned[0])


def built(version: str, architecture: str, target: Path) -> Built:
    """Have SAM build the template's functions into `target`, for that runtime. Raises BuildError."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    text, runtimes = _RUNTIME.subn(rf"\1python{version}", text)
    text, architectures = _ARCHITECTURES.subn(rf"\1[{architecture}]", text)
    if (runtimes, architectures) != (1, 1):
        raise BuildError("template.yaml: Runtime and Architectures must stand once each, under Globals.Function")
    copy = FOLDER / f"template-{version}-{architecture}.yaml"
    copy.write_text(text, encoding="utf-8")
    bins = runtime(version)
    # SAM looks for the interpreter on PATH, and uses its pip.
    settings = {**SAM_SETTINGS, "PATH": f"{bins}{os.pathsep}{os.environ['PATH']}"}
    command = [str(sam()), "build", "--template-file", str(copy), "--base-dir", str(ROOT), "--build-dir", str(target)]
    run(command, settings)
    folders = [one for one in target.iterdir() if one.is_dir()]
    if len(folders) != 1:
        raise BuildError(f"one artifact for all functions was expected in {target}, there are {len(folders)}")
    return Built(folders[0], target / "template.yaml", architecture)


def run(command: list[str], settings: Mapping[str, str] | None = None) -> None:
    """Run a tool quietly. Raises BuildError with what it says if it fails."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        command, cwd=ROOT, env={**inherited, **(settings or {})}, capture_output=True, text=True, timeout=900
    )
    if done.returncode != 0:
        raise BuildError(f"{Path(command[0]).name} {command[1]} failed:\n{(done.stdout + done.stderr)[-4_000:]}")

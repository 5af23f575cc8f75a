"""`make lambda`: build the functions, make them small, and run every one of them in Lambda's own runtime client."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from tools.engines import EngineError, install, missing
from tools.engines.process import ROOT
from tools.runtime import build
from tools.runtime.proof import prove
from tools.runtime.sandbox import SandboxError
from tools.runtime.trim import check_processor, packed, size, trim

SHIPPED_FOR = "arm64"
"""template.yaml's Architectures."""


def main(version: str) -> int:
    """0 if every function did what it must. `version` is the Python to build for, empty for the template's own."""
    began = time.monotonic()
    try:
        version = version or build.version_of((ROOT / "template.yaml").read_text(encoding="utf-8"))
        here = made(version)
        if reason := cannot_run():
            print(f"lambda: BUILT, AND NOT RUN: {reason}", file=sys.stderr)
            return 1
        python = build.runtime(version) / "python"
        with tempfile.TemporaryDirectory(prefix="tallystick-lambda-") as folder:
            wrong = prove(python, here.folder, here.template.read_text(encoding="utf-8"), Path(folder))
    except (build.BuildError, EngineError, SandboxError) as error:
        print(f"lambda: {error}", file=sys.stderr)
        return 1
    for one in wrong:
        print(f"lambda: {one}", file=sys.stderr)
    if not wrong:
        print(f"every function passed, in {time.monotonic() - began:.0f} s; to deploy: docs/deploy.md")
    return 1 if wrong else 0


def made(version: str) -> build.Built:
    """Build what is shipped, and what runs here; print their sizes, and return the latter."""
    build.FOLDER.mkdir(exist_ok=True)
    build.interpreter(version)
    shipped = finished(version, SHIPPED_FOR, build.SHIPPED)
    own = build.processor()
    return shipped if own == SHIPPED_FOR else finished(version, own, build.FOLDER / "build")


def finished(version: str, architecture: str, target: Path) -> build.Built:
    """Build and trim. Raises BuildError."""
    shutil.rmtree(target, ignore_errors=True)
    one = build.built(version, architecture, target)
    before = size(one.folder)
    check_processor(one.folder, architecture)
    trim(one.folder, build.runtime(version) / "python")
    archive = packed(one.folder, build.FOLDER / f"{architecture}.zip")
    sizes = (
        f"{megabytes(size(one.folder))} (SAM's own: {megabytes(before)}), {megabytes(archive.stat().st_size)} zipped"
    )
    print(f"{architecture}, python{version}: {sizes}, in {one.folder.relative_to(ROOT)}", flush=True)
    archive.unlink()
    return one


def cannot_run() -> str | None:
    """Why functions cannot be run on this machine, None if they can."""
    if sys.platform != "linux":
        return f"a function is a Linux program, and this is {sys.platform}; run `make lambda` on Linux, too"
    install()
    return missing()


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

"""Makes a built artifact small and quick to start: byte code for all of it, and nothing that no handler imports.

What is dropped here is proven needless by `tools.runtime.proof`, which runs every function on what is left.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.runtime.build import BuildError

# Whole folders and files, relative to the artifact. A pattern that matches nothing means that a dependency has changed,
# and is told.
NEEDLESS: Final = (
    # Ours: what only the command line, the tests and the derived files need. db/migrations stays for its names, which
    # /health counts.
    "api/openapi.py",
    "api/openapi_parts.py",
    "constraints.txt",
    "db/backup*.py",
    "db/drift.py",
    "db/engines/sqlite*.py",
    "db/invariants",
    "db/invariants.py",
    "db/migrate.py",
    "db/migration_*.py",
    "db/migrations/down",
    "db/rebuild.py",
    "db/restore*.py",
    "db/seeds",
    "db/sure.py",
    "requirements.txt",
    # Dependencies: other versions of themselves, command lines, plugins of other tools.
    "certifi/__main__.py",
    "httpx/_main.py",
    "pydantic/mypy.py",
    "pydantic/v1",
    # httpcore does without: it is for asynchronous clients, and our engines use a blocking one in threads.
    "anyio",
    "anyio-*.dist-info",
    # Types, which nothing imports.
    "**/*.pyi",
    "**/py.typed",
    # METADATA stays, for scanners that ask which versions are there.
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
)
MACHINES: Final = {"x86_64": 62, "arm64": 183}
"""The machine in the head of an ELF file."""


def trim(artifact: Path, python: Path) -> None:
    """Drop what is needless, and compile the rest with `python`, the runtime's. Raises BuildError."""
    drop(artifact)
    compile_all(artifact, python)


def drop(artifact: Path) -> None:
    """Remove what is needless. Raises BuildError for a pattern that nothing matches."""
    for pattern in NEEDLESS:
        found = sorted(artifact.glob(pattern))
        if not found:
            raise BuildError(f"tools/runtime/trim.py drops {pattern}, and the artifact has no such file any more")
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def compile_all(artifact: Path, python: Path) -> None:
    """Byte code for every module. Raises BuildError."""
    for cache in sorted(artifact.rglob("__pycache__")):
        shutil.rmtree(cache)
    # Unchecked: Lambda unpacks the archive with times of its own, and byte code that does not fit its source's time
    # is thrown away, at each cold start. The path in a traceback is the one that Lambda unpacks to.
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(artifact), "-p", "/var/task", str(artifact)], capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0:
        raise BuildError(f"compileall failed:\n{(done.stdout + done.stderr)[-2_000:]}")


def check_processor(artifact: Path, architecture: str) -> None:
    """Raises BuildError if a library in the artifact is for another processor: what is shipped may not run here."""
    for path in files(artifact):
        with path.open("rb") as opened:
            head = opened.read(20)
        if head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") != MACHINES[architecture]:
            raise BuildError(f"{path.relative_to(artifact)} is not for {architecture}")


def packed(artifact: Path, archive: Path) -> Path:
    """The archive as `sam deploy` would upload it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in files(artifact):
            made.write(path, path.relative_to(artifact))
    return archive


def files(artifact: Path) -> Iterator[Path]:
    return (path for path in sorted(artifact.rglob("*")) if path.is_file())


def size(artifact: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in files(artifact))

"""What several commands need: the database behind the URL, the stage, and the failure that ends a command."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from db.helper import Database, connect

FOLDER: Final = Path(".tallystick")
"""The only folder that a command makes: git-ignored, for its owner only."""
DEFAULT_URL: Final = f"sqlite:///{FOLDER}/shop.db"


class Failure(Exception):
    """Ends a command with a sentence. `code` is the exit code: 1 refused or failed, 2 wrong usage."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def release() -> str:
    """The release's number, which stands in pyproject.toml alone."""
    import tomllib

    path = Path(__file__).resolve().parent.parent / "pyproject.toml"
    number: str = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]
    return number


def in_production() -> bool:
    """Whether STAGE says so."""
    return os.environ.get("STAGE", "development").strip().lower() == "production"


def file_of(url: str) -> Path | None:
    """The file of a `sqlite:` URL, None for another engine's. Raises Failure for a URL that is neither."""
    if not url.startswith("sqlite:"):
        return None
    from db.engines.sqlite import path_of

    try:
        return path_of(url)
    except ValueError as error:
        raise Failure(str(error), 2) from error


@asynccontextmanager
async def opened(url: str, *, make: bool = False, timeout_ms: int = 600_000) -> AsyncIterator[Database]:
    """The database of `url`, closed afterwards. A file that does not exist is made only with `make`. Raises Failure."""
    prepare(url, make=make)
    try:
        db = await connect(url, timeout_ms=timeout_ms)
    except ValueError as error:
        raise Failure(str(error), 2) from error
    try:
        yield db
    finally:
        await db.close()


def prepare(url: str, *, make: bool) -> None:
    """Refuse a file that is not there, with `make` a folder that is not there; the default one is made. Raises Failure.

    A misspelt path shall not become a second, empty shop in folders of its own.
    """
    path = file_of(url)
    if path is None:
        return
    if not make:
        if not path.is_file():
            raise Failure(f"there is no database at {path}; `tally migrate up` makes one")
    elif path.parent.resolve() == FOLDER.resolve():
        path.parent.mkdir(mode=0o700, exist_ok=True)
    elif not path.parent.is_dir():
        raise Failure(f"there is no folder {path.parent} for the database {path.name}: make it, or name another path")


async def require_migrated(db: Database) -> None:
    """Refuse a database whose schema is not this release's. Raises Failure."""
    from db.migrate import Migrations

    status = await Migrations().status(db)
    if status.problems:
        raise Failure("\n".join(status.problems))
    if status.pending:
        are = "migration is" if status.pending == 1 else "migrations are"
        raise Failure(f"{status.pending} {are} pending: run `tally migrate up` first")

"""Secrets of a development machine, kept beside its database in a git-ignored folder, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cli.common import Failure, in_production

FOLDER: Final = Path(".tallystick")


def kept(name: str, make: str, folder: Path = FOLDER) -> str:
    """The text of a file with mode 0600 in `folder`, which is made to hold `make` if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        if text := path.read_text(encoding="utf-8").strip():
            return text
        raise Failure(f"{path} is empty: remove it, the next start makes a new one") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{make}\n")
    return make


def ensure_secret_key(folder: Path = FOLDER) -> None:
    """Put a development machine's SECRET_KEY into the environment if there is none. Never in production."""
    if not os.environ.get("SECRET_KEY") and not in_production():
        os.environ["SECRET_KEY"] = kept("secret_key", secrets.token_hex(32), folder)

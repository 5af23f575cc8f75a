"""API keys as rows, and the secrets of a development machine: files in a git-ignored folder, for their owner only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from api.auth import hash_of
from api.clock import milliseconds_now, stamp
from api.ids import typeids
from cli.common import FOLDER, Failure, in_production
from db.sql import Value

PREFIX_LETTERS = 10
DAY_MILLISECONDS = 86_400_000


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


def key_row(key: str, name: str, scopes: Sequence[str], days: int | None = None) -> dict[str, Value]:
    """The row of `api_keys` that makes `key` valid: its hash, never itself. It ends after `days`, None for never."""
    now = milliseconds_now()
    return {
        "id": typeids("apikey", 1, now)[0],
        "name": name,
        "prefix": key[:PREFIX_LETTERS],
        "hash": hash_of(key),
        "scopes": json.dumps(list(scopes)),
        "expires_at": None if days is None else stamp(now + days * DAY_MILLISECONDS),
        "created_at": stamp(now),
        "updated_at": stamp(now),
    }

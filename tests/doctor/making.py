"""Databases made for the doctor, and the doctor asked about them."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

from db.engines.sqlite import binding
from db.migration_files import split
from doctor.examine import Examined, examine
from doctor.patient import patient_of


def connect(path: Path) -> Any:
    """A connection as a stranger's program has it: nothing switched on."""
    return binding.connect(str(path), isolation_level=None)


def statements_of(shop: ModuleType) -> list[tuple[str, tuple[Any, ...]]]:
    """The shop's schema and rows, one statement each."""
    schema = [(statement, ()) for statement in split(shop.SCHEMA)]
    return [*schema, *((sql, row) for sql, rows in shop.rows() for row in rows)]


def make(path: Path, shop: ModuleType, *, wal: bool = False) -> Path:
    """The shop's schema and rows in a new file."""
    with closing(connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for sql, row in statements_of(shop):
            connection.execute(sql, row)
        connection.execute("COMMIT")
    return path


def made(path: Path, *statements: str) -> Path:
    """A file of these statements."""
    with closing(connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def examined(url: str | Path, queries: str | None = None) -> Examined:
    async def run() -> Examined:
        async with patient_of(str(url)) as patient:
            return await examine(patient, queries)

    return asyncio.run(run())


def keys(found: Examined) -> set[tuple[str, str]]:
    """The findings by code and place; each may be there once."""
    told = [one.key for one in found.findings]
    assert len(told) == len(set(told)), told
    return set(told)


def state(folder: Path) -> dict[str, str]:
    """Every file of a folder with the SHA-256 of its bytes."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}

"""The file of a backup: a zip of one NDJSON member a table and a manifest, that `unzip`, `jq` and `sha256sum` can read.

A zip, because it is written as a stream, a restore reads the tables in an order of its own, and a file that was cut off
has no directory. The manifest has each table's rows, bytes and SHA-256, and one of them all: two backups with the same
`content_sha256` hold the same shop.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from db.backup_tables import BackupError

FORMAT: Final = "tallystick-backup"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES_MAX: Final = 5_000_000
LINE_BYTES_MAX: Final = 64_000_000
LEVEL: Final = 4
"""Of compression; higher ones take longer than the rest of a backup."""


_BROKEN: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError, RuntimeError)
"""What reading a zip may raise that is not as it was written; RuntimeError for one that is encrypted, or newer."""


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TableTold(_Told):
    """What the file holds of one table. `bytes` and `sha256` are of the member, not compressed."""

    name: str
    columns: list[str]
    rows: int
    bytes: int
    sha256: str


class MigrationTold(_Told):
    version: int
    name: str
    checksum: str


class Manifest(_Told):
    """`release` and `engine` made the file; `taken_at` is the database's clock in the snapshot."""

    format: Literal["tallystick-backup"]
    format_version: Literal[1]
    release: str
    engine: str
    taken_at: str
    schema_version: int
    migrations: list[MigrationTold]
    tables: list[TableTold]
    content_sha256: str

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def content_sha256(tables: Iterable[TableTold]) -> str:
    """One checksum of the tables, in whatever order."""
    lines = sorted(f"{one.name} {one.rows} {one.sha256} {','.join(one.columns)}\n" for one in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def member_of(table: str) -> str:
    return f"tables/{table}.ndjson"


class Digest:
    """Counts and sums up rows as they pass."""

    def __init__(self) -> None:
        self.rows, self.bytes, self._hash = 0, 0, hashlib.sha256()

    def add(self, texts: Sequence[str]) -> bytes:
        """The bytes of the rows."""
        passed = "".join(texts).encode()
        self.rows += len(texts)
        self.bytes += len(passed)
        self._hash.update(passed)
        return passed

    def told(self, table: str, columns: Sequence[str]) -> TableTold:
        return TableTold(
            name=table, columns=list(columns), rows=self.rows, bytes=self.bytes, sha256=self._hash.hexdigest()
        )


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner only, which gets its name when it is whole and on the disk. Raises BackupError."""
    if path.exists():
        raise BackupError(f"{path} exists: a backup overwrites nothing, name another file")
    if not path.parent.is_dir():
        raise BackupError(f"there is no folder {path.parent} for {path.name}")
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with open(partial, "x+b", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _name(partial: Path, path: Path) -> None:
    try:
        path.hardlink_to(partial)  # unlike a rename, it overwrites nothing
    except OSError as error:
        if path.exists():
            raise BackupError(f"{path} exists meanwhile: a backup overwrites nothing") from error
        partial.rename(path)  # a file system without hard links
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Writer:
    """Writes the members, one after the other, then the manifest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self.tables: list[TableTold] = []

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):  # closed by `finish`, unless something else went wrong before
            self._zip.close()

    @contextmanager
    def table(self, name: str, columns: Sequence[str]) -> Iterator[Any]:
        """A function that takes the rows' canonical texts, in their order."""
        digest = Digest()
        with self._zip.open(member_of(name), "w", force_zip64=True) as member:
            yield lambda texts: member.write(digest.add(texts))
        self.tables.append(digest.told(name, columns))

    def finish(self, **about: Any) -> Manifest:
        manifest = Manifest(
            format="tallystick-backup",
            format_version=1,
            tables=self.tables,
            content_sha256=content_sha256(self.tables),
            **about,
        )
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=2) + "\n")
        self._zip.close()
        return manifest


class Reader:
    """A backup that is there: the manifest, and the rows of each table. Raises BackupError, also later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise BackupError(f"there is no file {path}") from error
        except _BROKEN as error:
            raise BackupError(f"{path} is no backup, or was cut off: {error}") from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _manifest(self) -> Manifest:
        names = self._zip.namelist()
        if MANIFEST not in names:
            raise BackupError(f"{self.path} is no backup: it has no {MANIFEST}")
        if self._zip.getinfo(MANIFEST).file_size > MANIFEST_BYTES_MAX:
            raise BackupError(f"{self.path} is no backup: its {MANIFEST} is too long")
        with self._honest(MANIFEST):
            text = self._zip.read(MANIFEST)
        try:
            told = json.loads(text)
            if isinstance(told, dict) and told.get("format") == FORMAT and told.get("format_version") != FORMAT_VERSION:
                raise BackupError(
                    f"{self.path} has format {told.get('format_version')}, this release reads {FORMAT_VERSION}: use "
                    f"the release that made it ({told.get('release')})"
                )
            manifest = Manifest.model_validate(told)
        except (ValidationError, ValueError, RecursionError) as error:
            raise BackupError(f"{self.path} is no backup, or was edited: its {MANIFEST} is not ours") from error
        expected = [MANIFEST, *(member_of(table.name) for table in manifest.tables)]
        if sorted(names) != sorted(expected) or content_sha256(manifest.tables) != manifest.content_sha256:
            raise BackupError(f"{self.path} was edited: its members or its {MANIFEST} are not what was written")
        return manifest

    def rows(self, table: TableTold) -> Iterator[str]:
        """The rows' texts. Raises BackupError at the end, or before it, if they are not what was written."""
        digest = Digest()
        name = member_of(table.name)
        with self._honest(name), self._zip.open(name) as member:
            while line := member.readline(LINE_BYTES_MAX):
                text = line.decode()
                digest.add((text,))
                yield text
        if digest.told(table.name, table.columns) != table:
            raise BackupError(
                f"{self.path} is damaged or was edited: {name} has {digest.rows} rows and SHA-256 "
                f"{digest.told(table.name, ()).sha256[:12]}…, written were {table.rows} and {table.sha256[:12]}…"
            )

    @contextmanager
    def _honest(self, name: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise BackupError(f"{self.path} is damaged or was edited: {name}: {error}") from error

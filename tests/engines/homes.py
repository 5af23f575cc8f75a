"""Where the shops of the tests live: an empty, migrated database for each, on the engine that ENGINE names.

`ENGINE=libsql` and `ENGINE=d1` start the real server once a session; a shop is a namespace forked from a migrated one
there, and one of many databases here, which begins as a copy of a migrated file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from api.clock import milliseconds_now, stamp
from db.engines.sqlite import SqliteFile, binding, open_connection
from db.migrate import Migrations
from db.migration_state import RECORD, TABLE
from tests.engines.raw import D1Raw, FileRaw, LibsqlRaw, RawError
from tools.engines import D1Server, EngineError, Sqld, missing

ENGINE: Final = os.environ.get("ENGINE", "sqlite")
D1_DATABASES: Final = 250
"""Of one workerd. It takes some 6 ms each to start; when they are used up, another one is started."""


REFUSED: Final = (binding.Error, RawError)
"""What a raw statement raises when the database refuses it."""


class Home(NamedTuple):
    """An empty, migrated database of one test."""

    url: str
    raw: Any
    """A `Raw` of tests/engines/raw.py; on a file, its driver's connection, too."""
    path: Path | None


class Homes(Protocol):
    token: str

    def home(self, folder: Path) -> Home:
        """An empty, migrated database."""
        ...

    def empty(self) -> str:
        """The URL of a database without a table."""
        ...

    def give_back(self, home: Home) -> None: ...


def database_class() -> Any:
    """The class of a function's client on this engine."""
    if ENGINE == "sqlite":
        return SqliteFile
    if ENGINE == "libsql":
        from db.engines.libsql import LibSql

        return LibSql
    from db.engines.d1 import D1

    return D1


@contextmanager
def homes_of(engine: str, folder: Path, template: Path) -> Iterator[Homes]:
    """The homes of an engine, its server ended afterwards. Raises EngineError."""
    if engine == "sqlite":
        yield FileHomes(folder, template)
        return
    if engine not in ("libsql", "d1"):
        raise EngineError(f"ENGINE={engine}: sqlite, libsql or d1")
    if reason := missing():
        raise EngineError(reason)
    homes: LibsqlHomes | D1Homes = LibsqlHomes(folder) if engine == "libsql" else D1Homes(folder, template)
    try:
        yield homes
    finally:
        homes.stop()


def schema_statements() -> list[tuple[str, tuple[Any, ...]]]:
    """All migrations as the runner sends them, without its guards."""
    found: list[tuple[str, tuple[Any, ...]]] = [(TABLE().sql.text, ())]
    for migration in Migrations().files.migrations.values():
        found += [(one.sql.text, one.values) for one in migration.statements]
        record = RECORD(
            version=migration.version,
            name=migration.name,
            checksum=migration.checksum,
            statements=len(migration.statements),
            now=stamp(milliseconds_now()),
        )
        found.append((record.sql.text, record.values))
    return found


class FileHomes:
    token = ""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder, self._template, self._made = folder, template, 0

    def home(self, folder: Path) -> Home:
        path = folder / "shop.db"
        shutil.copy(self._template, path)
        return Home(f"sqlite:///{path}", FileRaw(open_connection(path)), path)

    def empty(self) -> str:
        self._made += 1
        return f"sqlite:///{self._folder}/empty-{self._made}.db"

    def give_back(self, home: Home) -> None:
        home.raw.close()


class LibsqlHomes:
    """A primary and a replica."""

    def __init__(self, folder: Path) -> None:
        self._client = httpx.Client(timeout=60, verify=False)  # noqa: S501 - plain HTTP, and making it is quicker so
        self.server = Sqld(folder / "libsql", replica=True).start()
        self.token = self.server.token
        self._made = 0
        raw = self.raw(self.server.create("template"))
        raw.many(schema_statements())
        raw.close()

    def raw(self, url: str) -> LibsqlRaw:
        host, name = _host_and_name(url)
        headers = {"authorization": f"Bearer {self.token}", "host": f"{name}.localhost"}
        return LibsqlRaw(self._client, f"http://{host}/v2/pipeline", headers)

    def home(self, folder: Path) -> Home:
        self._made += 1
        url = self.server.fork("template", f"shop{self._made}")
        return Home(url, self.raw(url), None)

    def empty(self) -> str:
        self._made += 1
        return self.server.create(f"empty{self._made}")

    def replica_url(self, url: str) -> str:
        """Of the replica of the database of `url`."""
        return self.server.replica_url(_host_and_name(url)[1])

    def give_back(self, home: Home) -> None:
        self.server.delete(_host_and_name(home.url)[1])

    def stop(self) -> None:
        self._client.close()
        self.server.stop()


class D1Homes:
    """One workerd after the other, with the same token."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._client = httpx.Client(timeout=60, verify=False)  # noqa: S501 - plain HTTP, and making it is quicker so
        self._folder, self._servers, self._left = folder, list[D1Server](), list[str]()
        self._template = template
        self._start()
        self.token = self._servers[-1].token

    def _start(self) -> None:
        token = self._servers[-1].token if self._servers else None
        if self._servers:
            self._servers[-1].stop()
        number = len(self._servers)
        names = [f"shop{count}" for count in range(D1_DATABASES)]
        self._servers.append(D1Server(self._folder / f"d1-{number}", *names, token=token).start())
        self._left = names[::-1]

    @property
    def server(self) -> D1Server:
        return self._servers[-1]

    def empty(self) -> str:
        if not self._left:
            self._start()
        return self.server.url(self._left.pop())

    def raw(self, url: str) -> D1Raw:
        host, name = _host_and_name(url)
        path = f"/client/v4/accounts/gateway/d1/database/{name}/query"
        return D1Raw(self._client, f"http://{host}{path}", {"authorization": f"Bearer {self.token}"})

    def home(self, folder: Path) -> Home:
        url = self.empty()
        # A file made by the migrations, laid where workerd will look at the first request: DDL takes longer than most
        # tests. That D1 takes the migrations itself is what tests/engines/test_migrations.py is for.
        shutil.copy(self._template, self.server.file_of(_host_and_name(url)[1]))
        return Home(url, self.raw(url), None)

    def give_back(self, home: Home) -> None:
        """It stays until the server ends."""

    def stop(self) -> None:
        self._client.close()
        self.server.stop()


def _host_and_name(url: str) -> tuple[str, str]:
    """`libsql://127.0.0.1:8080/shop1?tls=0` is at 127.0.0.1:8080 and called shop1."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.strip("/")

"""A shop moves from engine to engine by backup and restore, and arrives as it was; half a move serves nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.database import close_database
from api.settings import settings
from db.backup import back_up
from db.backup_file import Manifest, new_file
from db.engines.sqlite import open_connection
from db.helper import DatabaseError, connect
from db.migrate import Migrations
from db.restore import restore
from proof.proxy import Message, Proxy
from tests.db.backup_support import made_lively, quiet
from tests.engines.homes import D1Homes, LibsqlHomes
from tests.shop import LOOP, find, invoke
from tools.runtime.events import event

BODY = '{"lines": [], "customer": {"name": "E", "phone": "+306912345678"}}'


@pytest.fixture(scope="module")
def lively(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_lively(template, tmp_path_factory.mktemp("lively"))


async def backed_up(url: str, token: str, path: Path) -> Manifest:
    db = await connect(url, token=token)
    try:
        with new_file(path) as file:
            return await back_up(db, file, Migrations(), "0.0.1", quiet)
    finally:
        await db.close()


async def restored(url: str, token: str, path: Path, *, again: bool = False) -> None:
    db = await connect(url, token=token)
    try:
        done = await restore(db, path, Migrations(), quiet, again=again)
        assert (done.violated, done.unasked) == ((), ())
    finally:
        await db.close()


def content(path: Path) -> dict[str, list[Any]]:
    """Every row of every table, as SQLite tells it."""
    connection = open_connection(path)
    try:
        names = connection.execute(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        ).fetchall()
        return {
            name: connection.execute(f"SELECT *, rowid FROM {name} ORDER BY 1, 2").fetchall()
            if _has_rowid(connection, name)
            else connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
            for (name,) in names
        }
    finally:
        connection.close()


def _has_rowid(connection: Any, name: str) -> bool:
    [(without,)] = connection.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (name,)).fetchall()
    return not without


def test_from_a_file_to_libsql_to_d1_and_back_into_a_file(
    lively: Path, libsql: LibsqlHomes, d1: D1Homes, tmp_path: Path
) -> None:
    stations = [
        (f"sqlite:///{lively}", ""),
        (libsql.empty(), libsql.token),
        (d1.empty(), d1.token),
        (f"sqlite:///{tmp_path}/back.db", ""),
    ]
    manifests = []
    for number, (url, token) in enumerate(stations):
        if number:
            asyncio.run(restored(url, token, tmp_path / f"{number - 1}.zip"))
        manifests.append(asyncio.run(backed_up(url, token, tmp_path / f"{number}.zip")))
    assert [one.engine for one in manifests] == ["sqlite", "libsql", "d1", "sqlite"]
    assert len({one.content_sha256 for one in manifests}) == 1
    assert len({one.rows for one in manifests}) == 1 and manifests[0].rows > 250
    assert content(tmp_path / "back.db") == content(lively)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What the endpoints answer for a database: their statuses."""

    def ask(url: str, token: str) -> dict[str, int]:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATABASE_TOKEN", token)
        settings.cache_clear()
        headers = {"content-type": "application/json", "idempotency-key": "one"}
        statuses = {}
        for method, path in (
            ("GET", "/products"), ("POST", "/carts"), ("POST", "/checkout"), ("GET", "/orders/7K3M-9QPX"),
            ("GET", "/health"),
        ):  # fmt: skip
            sent = event(method, path, headers=headers, body=BODY if path == "/checkout" else "{}")
            statuses[path] = invoke(find(method, path), sent).status
        return statuses

    yield ask
    LOOP.run_until_complete(close_database())
    settings.cache_clear()


@pytest.mark.parametrize("engine", ["libsql", "d1"])
def test_a_restore_cut_off_anywhere_serves_nobody(
    request: pytest.FixtureRequest, lively: Path, tmp_path: Path, asked: Any, engine: str
) -> None:
    """Cut off for good after its n-th request, for ever larger n; then done again, to the end."""
    homes: LibsqlHomes | D1Homes = request.getfixturevalue(engine)
    manifest = asyncio.run(backed_up(f"sqlite:///{lively}", "", tmp_path / "shop.zip"))
    for last in (1, 8, 40, 160, 10_000):
        url = homes.empty()
        finished = asyncio.run(_cut_off(url, homes.token, tmp_path / "shop.zip", last))
        if not finished:
            assert set(asked(url, homes.token).values()) == {503}, last
            asyncio.run(restored(url, homes.token, tmp_path / "shop.zip", again=True))
        again = asyncio.run(backed_up(url, homes.token, tmp_path / f"{last}.zip"))
        assert again.content_sha256 == manifest.content_sha256
        told = asked(url, homes.token)
        assert (told["/products"], told["/health"], told["/checkout"]) == (200, 200, 422)
        if finished:
            return
    raise AssertionError("no restore came to its end")


async def _cut_off(url: str, token: str, path: Path, last: int) -> bool:
    """Whether the restore came to its end before its `last` request."""
    with Proxy(url) as proxy:
        proxy.fault("cut", when=partial(_is_past, proxy, last))
        going = asyncio.create_task(restored(proxy.url, token, path))
        while not going.done() and len(proxy.requests) <= last:  # noqa: ASYNC110 - the proxy has no event
            await asyncio.sleep(0.005)
        if not going.done():
            going.cancel()
        done, _ = await asyncio.wait([going])
        [task] = done
        if task.cancelled():
            return False
        error = task.exception()
        assert error is None or isinstance(error, DatabaseError), error
        return error is None


def _is_past(proxy: Proxy, last: int, _: Message) -> bool:
    return len(proxy.requests) > last

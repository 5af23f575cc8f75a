"""The same shops on the real servers: the same faults, less what an engine does not let one ask."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from db.helper import connect
from db.migration_files import split
from db.sql import unregistered
from doctor.examine import Examined, examine
from doctor.mend.migration import migration_of
from doctor.mend.proof import prove
from doctor.patient import patient_of
from doctor.sizes import Sizes, sizes_of
from tests.doctor import music_shop, older_shop
from tests.doctor.making import examined, keys, make, statements_of
from tests.doctor.test_shops import OWN
from tests.engines.homes import D1Homes, LibsqlHomes

pytestmark = pytest.mark.server

BUG = ("corruption_bug", "WAL reset")
"""The server tells SQLite 3.45.1; see docs/doctor.md."""


@pytest.fixture(scope="module")
def libsql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibsqlHomes]:
    homes = LibsqlHomes(tmp_path_factory.mktemp("libsql"))
    yield homes
    homes.stop()


@pytest.fixture(scope="module")
def d1(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[D1Homes]:
    homes = D1Homes(tmp_path_factory.mktemp("d1"), template)
    yield homes
    homes.stop()


@pytest.fixture(params=["libsql", "d1"])
def homes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    found = request.getfixturevalue(request.param)
    monkeypatch.setenv("DATABASE_TOKEN", found.token)
    return found


def laid(homes: Any, shop: ModuleType, folder: Path) -> str:
    """The shop on the engine, with rows that it would refuse itself; its URL."""
    url: str = homes.empty()
    if isinstance(homes, D1Homes):
        shutil.copy(make(folder / "shop.db", shop), homes.server.file_of(urlsplit(url).path.strip("/")))
        return url
    steps = [("PRAGMA foreign_keys = OFF", ()), ("BEGIN", ()), *statements_of(shop), ("COMMIT", ())]
    homes.raw(url).alone(steps)
    return url


def expected(homes: Any, shop: ModuleType) -> set[tuple[str, str]]:
    planted: set[tuple[str, str]] = shop.PLANTED
    return planted | ({BUG} if isinstance(homes, LibsqlHomes) else set())


@pytest.mark.parametrize("shop", [music_shop, older_shop], ids=["music", "older"])
def test_the_planted_faults_are_named_and_mended(homes: Any, shop: ModuleType, tmp_path: Path) -> None:
    url = laid(homes, shop, tmp_path)
    found = examined(url, "SELECT * FROM products WHERE size = ?;" if shop is older_shop else None)
    queried = {("query_scan", "line 1, products")} if shop is older_shop else set()
    assert keys(found) == expected(homes, shop) | queried

    async def mend() -> Examined:
        async with patient_of(url) as patient:
            migration = migration_of(found)
            proof = await prove(patient, found, migration)
            assert proof.holds and "without rows" in proof.lines()[0], proof.lines()
        db = await connect(url)
        for which in ("up", "down", "up"):
            statements = split(migration.text(which, "file.sql"))
            await db.batch([unregistered(one)() for one in statements])
        await db.close()
        async with patient_of(url) as patient:
            return await examine(patient)

    again = keys(asyncio.run(mend()))
    mended = {one.key for one in migration_of(found).mends}
    assert again == expected(homes, shop) - mended
    assert ("no_timestamps" in {code for code, _ in mended}) and mended


def test_our_own_shop_is_clean(homes: Any, tmp_path: Path) -> None:
    home = homes.home(tmp_path)
    found = examined(home.url)
    assert keys(found) == OWN | ({BUG} if isinstance(homes, LibsqlHomes) else set())
    assert not found.must_act
    told = " ".join(found.case.not_asked)
    assert ("quick_check alone" in told) is isinstance(homes, D1Homes)


def test_sizes(homes: Any, tmp_path: Path) -> None:
    home = homes.home(tmp_path)

    async def run() -> Sizes:
        async with patient_of(home.url) as patient:
            return await sizes_of(patient)

    sizes = asyncio.run(run())
    lines = {one.name: one for one in sizes.lines}
    assert lines["locations"].rows == 1
    assert lines["orders_by_user"].index_of == "orders"
    if isinstance(homes, D1Homes):
        assert lines["locations"].bytes is None and sizes.why_no_bytes and "dbstat" in sizes.why_no_bytes
    else:
        assert lines["locations"].bytes == 4096 and sizes.why_no_bytes is None

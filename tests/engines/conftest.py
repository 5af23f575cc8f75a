"""The real servers, started once a session for all tests of this folder, whatever ENGINE says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.engines.sqlite import open_connection
from proof.proxy import Proxy
from tests.db.engine_support import SCHEMA
from tests.engines.candidates import Candidate
from tests.engines.homes import D1Homes, Home, Homes, LibsqlHomes
from tests.shop import Shop


@pytest.fixture(scope="session")
def libsql(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibsqlHomes]:
    if isinstance(homes, LibsqlHomes):
        yield homes
        return
    made = LibsqlHomes(tmp_path_factory.mktemp("libsql"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def d1(homes: Homes, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[D1Homes]:
    if isinstance(homes, D1Homes):
        yield homes
        return
    made = D1Homes(tmp_path_factory.mktemp("d1"), template)
    yield made
    made.stop()


@pytest.fixture(params=["handler", "serving", "libsql", "d1"])
def candidate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Candidate]:
    """A database of the small schema on each engine; a file twice, as a handler has it and as a server has it."""
    if request.param in ("handler", "serving"):
        path = tmp_path / "shop.db"
        with closing(open_connection(path)) as connection:
            for statement in SCHEMA:
                connection.execute(statement)
        made = Candidate("sqlite", f"sqlite:///{path}", "", serving=request.param == "serving")
    else:
        homes = request.getfixturevalue(request.param)
        url = homes.empty()
        made = Candidate(request.param, url, homes.token)
        raw = homes.raw(url)
        raw.many([(statement, ()) for statement in SCHEMA])
        raw.close()
    with made.running():
        yield made


@pytest.fixture(params=["libsql", "d1"])
def far(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Shop, Proxy]]:
    """A shop on a server, its functions behind a proxy, its raw connection not."""
    homes: LibsqlHomes | D1Homes = request.getfixturevalue(request.param)
    monkeypatch.setenv("DATABASE_TOKEN", homes.token)
    home = homes.home(tmp_path)
    with Proxy(home.url) as proxy:
        shop = Shop(Home(proxy.url, home.raw, None), monkeypatch)
        yield shop, proxy
        shop.close()
    homes.give_back(home)

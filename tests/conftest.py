"""The shop of a test: a migrated database of its own on the engine of ENGINE, reached through the real handlers."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("SECRET_KEY", "for-tests-only-0123456789abcdef-0123456789abcdef")
os.environ.setdefault("LOG_LEVEL", "error")
os.environ.setdefault("BCRYPT_COST", "4")
os.environ.setdefault("STAGE", "test")

from tests.engines.homes import ENGINE, Homes, homes_of
from tests.shop import LOOP, Shop, migrated_file
from tools.engines import missing

asyncio.set_event_loop(LOOP)  # before any handler is imported: Mangum would make one of its own


WITHOUT_SERVERS = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, and count as deselected: on a server what looks into a file, without Node.js what needs a server."""
    left_out = []
    if ENGINE != "sqlite":
        left_out = [one for one in items if one.get_closest_marker("file_engine")]
    elif reason := missing():
        left_out = [one for one in items if needs_a_server(one)]
        config.stash[WITHOUT_SERVERS] = f"LEFT OUT: {len(left_out)} tests on libSQL and D1, because {reason}"
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    items[:] = [one for one in items if one in kept]


def needs_a_server(item: Any) -> bool:
    parameters = getattr(item, "callspec", None)
    chosen = set(map(str, parameters.params.values())) if parameters else set()
    return item.get_closest_marker("server") is not None or bool(
        {"libsql", "d1"} & {*getattr(item, "fixturenames", ()), *chosen}
    )


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if told := config.stash.get(WITHOUT_SERVERS, None):
        terminalreporter.write_line(told, red=True, bold=True)


def pytest_report_header() -> str:
    return f"engine: {ENGINE}"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file: copied for each test, because migrating takes longer than most tests."""
    return migrated_file(tmp_path_factory.mktemp("template") / "template.db")


@pytest.fixture(scope="session")
def homes(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    """Where shops live: beside each other in a folder, or on the real server that ENGINE names."""
    with homes_of(ENGINE, tmp_path_factory.mktemp("homes"), template) as homes:
        os.environ["DATABASE_TOKEN"] = homes.token
        yield homes


@pytest.fixture
def shop(homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    home = homes.home(tmp_path)
    shop = Shop(home, monkeypatch)
    yield shop
    shop.close()
    homes.give_back(home)


@pytest.fixture(autouse=True)
def loop_of_handlers() -> None:
    """A test that used asyncio.run has left no loop behind, and a handler imported next would make one of its own."""
    asyncio.set_event_loop(LOOP)


@pytest.fixture(scope="session", autouse=True)
def one_loop() -> Iterator[None]:
    yield
    LOOP.close()
    asyncio.set_event_loop(None)

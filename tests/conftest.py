"""The shop of a test: a migrated file of its own, reached through the real handlers."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("SECRET_KEY", "for-tests-only-0123456789abcdef-0123456789abcdef")
os.environ.setdefault("LOG_LEVEL", "error")
os.environ.setdefault("STAGE", "test")

from tests.shop import LOOP, Shop, migrated_file

asyncio.set_event_loop(LOOP)  # before any handler is imported: Mangum would make one of its own


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file: copied for each test, because migrating takes longer than most tests."""
    return migrated_file(tmp_path_factory.mktemp("template") / "template.db")


@pytest.fixture
def shop(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop(template, tmp_path / "shop.db", monkeypatch)
    yield shop
    shop.close()


@pytest.fixture(autouse=True)
def loop_of_handlers() -> None:
    """A test that used asyncio.run has left no loop behind, and a handler imported next would make one of its own."""
    asyncio.set_event_loop(LOOP)


@pytest.fixture(scope="session", autouse=True)
def one_loop() -> Iterator[None]:
    yield
    LOOP.close()
    asyncio.set_event_loop(None)

"""A shop with a row in every table, made once a session: copied for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.db.backup_support import backed_up, made_lively


@pytest.fixture(scope="session")
def lively_file(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_lively(template, tmp_path_factory.mktemp("lively"))


@pytest.fixture(scope="session")
def lively_backup(lively_file: Path) -> Path:
    target = lively_file.with_name("shop.zip")
    backed_up(lively_file, target)
    return target

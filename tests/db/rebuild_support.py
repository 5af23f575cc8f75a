"""Migrations that rebuild tables with children, for tests of every engine."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from db.migrate import DIRECTORY, Migrations
from db.rebuild import write

CHANNEL = "  channel TEXT NOT NULL DEFAULT 'WEB' CONSTRAINT orders_channel_known CHECK (channel IN ('WEB', 'DESK')),\n"
"""A column with a check, which ALTER TABLE could not place before the others."""


def folder_with(folder: Path, *rebuilt: str) -> Path:
    """The shop's migrations, and one more for each table to be rebuilt, as `tally migrate rebuild` writes it."""
    if not folder.exists():
        shutil.copytree(DIRECTORY, folder)
    for table in rebuilt:
        asyncio.run(write(Migrations(folder), folder, table, f"rebuild {table}"))
    return folder


def with_channel(folder: Path) -> Path:
    """Migrations that rebuild orders with a new column and check; the way back rebuilds it without."""
    forward = sorted(folder_with(folder, "orders").glob("*_rebuild_orders.sql"))[0]
    text = forward.read_text()
    place = "  status           TEXT NOT NULL CONSTRAINT orders_status_known"
    assert text.count(place) == 1
    forward.write_text(text.replace(place, CHANNEL + place))
    return folder

"""The disks of a power cut: what is surely there, what may be, and that a log of strace is read as it is written."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.disks import SECTOR, Call, Disk, calls

LOG = r"""12  pwrite64(7<\x2f\x61\x2e\x64\x62>, "\x61\x62", 2, 512) = 2
13  write(9<\x2f\x6e\x6f\x74\x65\x73>, "\x7b\x7d", 2) = 2
12  fsync(7<\x2f\x61\x2e\x64\x62>) = 0
12  ftruncate(7<\x2f\x61\x2e\x64\x62>, 100) = 0
12  unlink("\x2f\x61\x2e\x64\x62\x2d\x77\x61\x6c") = 0
12  unlink("\x2f\x61\x2e\x64\x62\x2d\x77\x61\x6c") = -1 ENOENT (No such file or directory)
12  +++ exited with 0 +++
"""


def test_a_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LOG)
    assert list(calls(tmp_path / "log")) == [
        Call("write", "a.db", 512, b"ab"),
        Call("told", "notes", 0, b"{}"),
        Call("sync", "a.db"),
        Call("cut", "a.db", 100),
        Call("unlink", "a.db-wal"),
    ]


def test_a_line_that_is_not_understood_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("12  pwrite64(7</a.db>, <unfinished ...>\n")
    with pytest.raises(ValueError, match="unfinished"):
        list(calls(tmp_path / "log"))


def held(files: dict[str, bytearray | None]) -> bytes | None:
    data = files["a.db"]
    return None if data is None else bytes(data)


def test_what_is_synced_stays_and_the_rest_may() -> None:
    disk, draw = Disk({"a.db": b"old", "a.db-wal": b""}), random.Random(1)

    def found() -> tuple[bytes | None, bytes | None]:
        return held(disk.now), held(disk.kept)

    assert disk.do(Call("write", "a.db", 0, b"new"))
    assert not disk.do(Call("write", "other", 0, b"new"))
    assert found() == (b"new", b"old")
    assert {held(disk.some(draw)) for _ in range(50)} == {b"new", b"old"}
    disk.do(Call("sync", "a.db"))
    assert found() == (b"new", b"new") and held(disk.some(draw)) == b"new"
    disk.do(Call("cut", "a.db", 1))
    assert found() == (b"n", b"new")
    disk.do(Call("cut", "a.db", 3))
    assert found() == (b"n\0\0", b"new")
    disk.do(Call("unlink", "a.db"))
    assert found() == (None, b"new")
    assert None in [held(disk.some(draw)) for _ in range(20)]


def test_a_write_is_torn_at_sectors() -> None:
    disk, draw = Disk({"a.db": b""}), random.Random(1)
    disk.do(Call("write", "a.db", 100, b"x" * (2 * SECTOR)))
    found = {held(disk.some(draw)) or b"" for _ in range(200)}
    sectors = {tuple(data[place : place + 1] == b"x" for place in (100, SECTOR, 2 * SECTOR)) for data in found}
    assert len(sectors) == 8
    for data in found:
        for start, end in ((100, SECTOR), (SECTOR, 2 * SECTOR), (2 * SECTOR, 2 * SECTOR + 100)):
            assert len(set(data[start:end])) <= 1

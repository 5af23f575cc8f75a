"""`tally backup` and `tally restore`, as processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time
import zipfile

import pytest

from tests.cli.terminal import ROOT, Terminal
from tests.db.backup_support import members
from tests.db.migration_support import counts, execute, older_shop, rows, validate


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    """A terminal beside a shop."""
    terminal.tally("migrate", "up")
    terminal.tally("seed", "dev")
    return terminal


def test_backup_check_restore_backup(shop: Terminal) -> None:
    done = shop.tally("backup", "shop.zip")
    assert (done.code, done.err) == (0, "")
    table, *lines = done.out.splitlines()
    assert table.split() == ["table", "rows", "bytes", "SHA-256"]
    there = counts(shop.file)
    told = {line.split()[0]: line.split()[1] for line in lines[: len(there)]}
    assert told == {name: f"{count:,}" for name, count in there.items()}
    assert lines[len(there)].startswith(f"{len(there)} tables, {sum(there.values())} rows; content SHA-256 ")
    assert stat.S_IMODE((shop.folder / "shop.zip").stat().st_mode) == 0o600
    checked = shop.tally("restore", "--check", "shop.zip", "--database-url", "sqlite:///no/such/folder.db")
    assert (checked.code, checked.err) == (0, "")
    assert checked.out.splitlines()[: len(there) + 2] == done.out.splitlines()[: len(there) + 2]
    assert checked.out.endswith("shop.zip: whole, every row as it was written\n")
    new = ("--database-url", "sqlite:///new.db")
    restored = shop.tally("restore", "shop.zip", *new, STAGE="production")
    assert (restored.code, restored.err) == (0, "")
    assert "restored: every row read back as it is in the file, every invariant holds" in restored.out
    assert shop.tally("backup", "again.zip", *new).code == 0
    assert members(shop.folder / "again.zip") == members(shop.folder / "shop.zip")
    assert shop.tally("check", *new).code == 0
    assert validate(shop.folder / "new.db") == []


def test_refusals_are_sentences_and_change_nothing(shop: Terminal) -> None:
    shop.tally("backup", "shop.zip")
    content, held = (shop.folder / "shop.zip").read_bytes(), counts(shop.file)
    for words, told in (
        (("backup", "shop.zip"), "shop.zip exists: a backup overwrites nothing"),
        (("backup", "none/shop.zip"), "there is no folder none"),
        (("backup", "x.zip", "--database-url", "sqlite:///none.db"), "there is no database at none.db"),
        (("restore", "shop.zip"), "the database is not empty, it holds "),
        (("restore", "shop.zip", "--again"), "the database is not empty, it holds "),
        (("restore", "none.zip"), "there is no file none.zip"),
        (("restore", "--check", "none.zip"), "there is no file none.zip"),
    ):
        done = shop.tally(*words)
        assert (done.code, done.out) == (1, ""), words
        assert done.err.startswith(f"tally: {told}"), done.err
    assert ((shop.folder / "shop.zip").read_bytes(), counts(shop.file)) == (content, held)
    assert {one.name for one in shop.folder.iterdir()} == {".tallystick", "shop.zip"}


def test_a_damaged_file_is_not_restored(shop: Terminal) -> None:
    shop.tally("backup", "shop.zip")
    content = (shop.folder / "shop.zip").read_bytes()
    (shop.folder / "cut.zip").write_bytes(content[: len(content) // 2])
    for words in (("restore", "--check", "cut.zip"), ("restore", "cut.zip", "--database-url", "sqlite:///new.db")):
        done = shop.tally(*words)
        assert (done.code, done.out) == (1, "")
        assert "cut.zip is no backup, or was cut off" in done.err
    assert rows(shop.folder / "new.db", "SELECT count(*) FROM sqlite_schema") == [(0,)]


def test_an_older_shop_is_told_to_go_up(terminal: Terminal) -> None:
    older_shop(terminal.folder / "older.db")
    assert terminal.tally("backup", "shop.zip", "--database-url", "sqlite:///older.db").code == 0
    new = ("--database-url", "sqlite:///new.db")
    done = terminal.tally("restore", "shop.zip", *new)
    assert done.code == 1
    assert "does not hold" in done.err and "--again --with-violations" in done.err
    done = terminal.tally("restore", "shop.zip", *new, "--again", "--with-violations")
    assert done.code == 0
    assert "the shop is at schema version 5 of " in done.out and "run `tally migrate up`" in done.out
    assert "VIOLATED  " in done.out and "every other invariant holds" in done.out
    assert terminal.tally("migrate", "up", *new).code == 0


def test_half_a_restore_is_told_by_every_command(shop: Terminal) -> None:
    shop.tally("backup", "shop.zip")
    execute(shop.folder / "half.db", "CREATE TABLE restoring_state (id TEXT, step INTEGER) STRICT")
    half = ("--database-url", "sqlite:///half.db")
    for words in (("migrate", "up"), ("migrate", "status"), ("seed", "dev"), ("backup", "half.zip"), ("serve",)):
        done = shop.tally(*words, *half, SECRET_KEY="for-tests-only-0123456789abcdef-0123456789abcdef")
        assert done.code == 1, words
        assert "is being restored, or a restore ended early; it serves nobody" in done.err, (words, done.err)
    assert "--again" in shop.tally("restore", "shop.zip", *half).err
    assert shop.tally("restore", "shop.zip", "--again", *half).code == 0


def test_the_manifest_names_the_release(shop: Terminal) -> None:
    shop.tally("backup", "shop.zip")
    with zipfile.ZipFile(shop.folder / "shop.zip") as file:
        told = json.loads(file.read("manifest.json"))
    assert shop.tally("--version").out == f"tally {told['release']}\n"


def on_a_terminal(shop: Terminal, *words: str) -> tuple[int, str]:
    """The exit code of `tally …`, and what it writes to a standard error that is a terminal."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=slave,
    )
    os.close(slave)
    told = b""
    try:
        while some := os.read(master, 65_536):
            told += some
    except OSError:  # the other end is closed
        pass
    os.close(master)
    return running.wait(60), told.decode()


def test_a_bar_on_a_terminal_and_none_elsewhere(shop: Terminal) -> None:
    code, told = on_a_terminal(shop, "backup", "shop.zip", "--database-url", f"sqlite:///{shop.file}")
    assert code == 0
    assert "\r\x1b[Kread   [" in told and " rows  " in told
    assert told.endswith("\r\x1b[K"), "the bar is gone at the end"
    code, told = on_a_terminal(shop, "restore", "shop.zip", "--database-url", "sqlite:///new.db")
    assert code == 0
    for word in ("check", "write", "prove"):
        assert f"\r\x1b[K{word:<6} [" in told
    assert shop.tally("restore", "--check", "shop.zip").err == ""


def test_a_backup_that_is_stopped_leaves_nothing(shop: Terminal) -> None:
    """Method: SIGTERM in the middle of a table of 12 MB."""
    execute(
        shop.file,
        "INSERT INTO media (id, asset_id, type, provider, url, mime_type, created_at, updated_at) "
        "SELECT value, value, 'IMAGE', 'LOCAL', hex(randomblob(200)), 'image/jpeg', '', '' "
        "FROM (WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 60000) SELECT * FROM n)",
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "backup", "shop.zip"],
        cwd=shop.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{shop.file}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not [one for one in shop.folder.iterdir() if one.name.endswith(".partial") and one.stat().st_size > 500_000]:
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, "", "tally: stopped\n")
    assert {one.name for one in shop.folder.iterdir()} == {".tallystick"}
